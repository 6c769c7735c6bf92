"""Metrics as files: one append-only file a resource, one JSON array a point. The adapter of `ports.Metrics`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

from emulator.call import Extent, Scope
from emulator.ports import Point

SUFFIX = ".points"


class FileMetrics:
    """`ports.Metrics` on files under `folder`: what `append` returned from survives the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, scope: Scope) -> FileMetrics:
        """The metrics of one account and region, in a folder of their own."""
        return FileMetrics(self._folder / quote(scope.account, safe="") / quote(scope.region, safe=""))

    def forget_part(self, extent: Extent) -> None:
        """Delete all points of a part of the house."""
        for folder in self._folder.glob("*/*"):
            if extent.covers(Scope(unquote(folder.parent.name), unquote(folder.name))):
                shutil.rmtree(folder, ignore_errors=True)

    def append(self, points: Iterable[Point]) -> None:
        """Add points, in one write a resource."""
        lines: dict[str, list[str]] = {}
        for point in points:
            row = json.dumps([point.name, point.value, point.timestamp, point.step])
            lines.setdefault(point.resource, []).append(row + "\n")
        if lines:
            self._folder.mkdir(parents=True, exist_ok=True)
        for resource, rows in lines.items():
            with self._path(resource).open("ab", buffering=0) as file:
                file.write("".join(rows).encode())

    def read(self, resource: str, name: str | None = None) -> list[Point]:
        """The points of one resource in the order of their arrival."""
        points, _ = self.since(resource, 0)
        return [point for point in points if name is None or point.name == name]

    def since(self, resource: str, offset: int) -> tuple[list[Point], int]:
        """The points behind byte `offset` of a resource's file, and the offset to go on from."""
        try:
            with self._path(resource).open("rb") as file:
                file.seek(offset)
                block = file.read()
        except FileNotFoundError:
            return [], offset
        block = block[: block.rfind(b"\n") + 1]
        rows = (json.loads(raw) for raw in block.split(b"\n") if raw)
        return [Point(resource, r[0], r[1], r[2], r[3]) for r in rows], offset + len(block)

    def forget(self, resource: str) -> None:
        """Remove the points of a resource."""
        self._path(resource).unlink(missing_ok=True)

    def sizes(self) -> dict[str, int]:
        """All resources that have points, with the size of their files: a change means new points."""
        if not self._folder.is_dir():
            return {}
        entries = (entry for entry in os.scandir(self._folder) if entry.name.endswith(SUFFIX))
        return {unquote(entry.name[: -len(SUFFIX)]): entry.stat().st_size for entry in entries}

    def _path(self, resource: str) -> Path:
        return self._folder / (quote(resource, safe="") + SUFFIX)
