"""What the house tells people of itself: what is under way, and the logs of jobs and endpoints."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emulator.logs import FileLogs, Tail
from emulator.settings import Settings

if TYPE_CHECKING:
    from emulator.resources import Resources

UNSETTLED = ("InProgress", "Stopping")
SERVING = ("Creating", "Updating", "InService", "Deleting")
UNDER_WAY = (
    ("TrainingJob", UNSETTLED),
    ("ProcessingJob", UNSETTLED),
    ("TransformJob", UNSETTLED),
    ("Endpoint", SERVING),
)
"""The kinds that something runs for, and the statuses of those records."""

LOG_GROUPS = (
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/ProcessingJobs",
    "/aws/sagemaker/TransformJobs",
)

LOG_PART = 512 * 1024
"""Bytes of a host's log that one answer has."""


class Rooms(Protocol):
    """What is looked at."""

    settings: Settings
    data_dir: Path
    resources: Resources
    logs: FileLogs


def status(house: Rooms) -> dict[str, Any]:
    """What the house is doing."""
    jobs, endpoints = Counter[str](), Counter[str]()
    for kind, statuses in UNDER_WAY:
        counts = endpoints if kind == "Endpoint" else jobs
        counts.update(record.status for record in house.resources.unsettled(kind, statuses))
    return {
        "data_dir": str(house.data_dir),
        "executor": house.settings.executor,
        "pid": os.getpid(),
        "jobs": dict(jobs),
        "endpoints": dict(endpoints),
    }


def log_lines(house: Rooms, name: str, places: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The next part of the log of a job or an endpoint: {"lines", "places", "more", "over", "unknown"}.

    `places` of one answer, given with the next question, lead on from there; {} is the beginning.
    """
    over, reached, lines = not _under_way(house, name), dict(places or {}), list[str]()
    files, more = _log_files(house, name), False
    for file in files:
        key = file.relative_to(house.data_dir).as_posix()
        tail = Tail(file, reached.get(key, 0), LOG_PART)
        lines += [line.message for line in tail.read(over)]
        reached[key] = tail.offset
        more = tail.more
        if more:  # one host after the other, as long as there is much to read
            break
    return {"lines": lines, "places": reached, "more": more, "over": over, "unknown": not files}


def _log_files(house: Rooms, name: str) -> list[Path]:
    places = [(group, f"{name}/") for group in LOG_GROUPS] + [(f"/aws/sagemaker/Endpoints/{name}", "")]
    return [
        logs.locate(group, stream)
        for logs in house.logs.all()
        for group, prefix in sorted(places)
        for stream in logs.streams(group, prefix)
    ]


def _under_way(house: Rooms, name: str) -> bool:
    return any(
        record.key == name for kind, statuses in UNDER_WAY for record in house.resources.unsettled(kind, statuses)
    )
