"""Channels: which ones an algorithm takes, how it takes them, and which files of a channel's folder are data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from algorithms.common.faults import UserError

MAX_FOLDER_DEPTH = 3
DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")


@dataclass(frozen=True)
class Channel:
    """One channel that an algorithm knows."""

    name: str
    required: bool = False


def check(known: Sequence[Channel], given: Mapping[str, Mapping[str, str]]) -> None:
    """UserError, in the container's words, on a missing, unknown or impossible channel."""
    for channel in known:
        if channel.required and channel.name not in given:
            raise UserError(f"Missing required channel: {channel.name}")
    for name, configuration in given.items():
        if name not in {channel.name for channel in known}:
            raise UserError(f"Extraneous channel found: {name}")
        if configuration.get("TrainingInputMode") == "Pipe":
            raise UserError(
                f"Channel configuration for '{name}' channel is not supported: {dict(configuration)}. Pipe mode is no "
                "longer supported. Set TrainingInputMode to 'File' or 'FastFile'."
            )
        if configuration.get("S3DistributionType", "FullyReplicated") not in DISTRIBUTIONS:
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {dict(configuration)}")


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
