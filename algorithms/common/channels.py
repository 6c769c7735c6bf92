"""Channels: which ones an algorithm takes, how it takes them, and which files of a channel's folder are data."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from algorithms.common import content_types
from algorithms.common.faults import UserError

MAX_FOLDER_DEPTH = 3
DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")
NEXT_PIPE_SECONDS = 60.0


@dataclass(frozen=True)
class Channel:
    """One channel that an algorithm knows."""

    name: str
    required: bool = False
    piped: Sequence[str] = ()
    """The content types that it takes in Pipe mode."""
    distributions: Sequence[str] = DISTRIBUTIONS
    """How its data may be spread over the hosts."""


def check(known: Sequence[Channel], given: Mapping[str, Mapping[str, str]]) -> None:
    """UserError, in the container's words, on a missing, unknown or impossible channel."""
    for channel in known:
        if channel.required and channel.name not in given:
            raise UserError(f"Missing required channel: {channel.name}")
    by_name = {channel.name: channel for channel in known}
    for name, configuration in given.items():
        if name not in by_name:
            raise UserError(f"Extraneous channel found: {name}")
        unsupported = f"Channel configuration for '{name}' channel is not supported: {dict(configuration)}"
        if configuration.get("S3DistributionType", "FullyReplicated") not in DISTRIBUTIONS:
            raise UserError(unsupported)
        if is_piped(configuration) and not _can_be_piped(by_name[name], configuration):
            piped = ", ".join(by_name[name].piped) or "no content type"
            raise UserError(f"{unsupported}. Set TrainingInputMode to 'File' or 'FastFile': Pipe mode takes {piped}.")


def is_piped(configuration: Mapping[str, str]) -> bool:
    """Whether the data of a channel come through a pipe."""
    return configuration.get("TrainingInputMode") == "Pipe"


def _can_be_piped(channel: Channel, configuration: Mapping[str, str]) -> bool:
    return content_types.parse(configuration.get("ContentType") or "").media in channel.piped


def pipe(folder: Path, epoch: int) -> Path:
    """The pipe of one epoch of a channel. That of the first is there from the start, each further one comes to be."""
    path = folder.parent / f"{folder.name}_{epoch}"
    until = time.monotonic() + NEXT_PIPE_SECONDS
    while epoch and not path.exists():
        if time.monotonic() > until:
            raise RuntimeError(f"No pipe {path} has come within {NEXT_PIPE_SECONDS:.0f} seconds.")
        time.sleep(0.01)
    return path


def data_files(folder: Path) -> list[Path]:
    """The data files of a channel in the order of their paths, down to three folders deep.

    Hidden files (`.x`, `_x`, such as the `_SUCCESS` of Spark) and empty files are no data.
    """
    found: list[Path] = []
    for root, folders, files in os.walk(folder, followlinks=True):
        depth = len(Path(root).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        if depth >= MAX_FOLDER_DEPTH and folders:
            raise UserError(f"Folder depth exceed the limit: {MAX_FOLDER_DEPTH}. Found {Path(root, folders[0])}.")
        found += [Path(root, name) for name in files if not name.startswith((".", "_"))]
    return sorted(path for path in found if path.stat().st_size)
