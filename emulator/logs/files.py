"""Logs as files: a folder a group, a file a stream. The adapter of `ports.Logs`; writers append, nobody locks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.call import Extent, Scope
from emulator.clock import Clock, SystemClock
from emulator.logs import names
from emulator.logs.lines import format_lines, parse
from emulator.logs.pages import BLOCK, backwards
from emulator.logs.shortened import first_byte, lines_before
from emulator.ports import LogLine

SUFFIX = ".log"
PLACES = 256
LONGEST = 1024 * 1024
BORN = ".group"
"""An empty file whose time is when the group was made: the folder's own time moves with every stream."""


@dataclass(frozen=True)
class StreamFacts:
    """What is known of a stream without reading it whole. Times are milliseconds; `first` and `last` None if empty."""

    name: str
    created: int
    first: int | None
    last: int | None
    written: int
    size: int


class FileLogs:
    """`ports.Logs` on files under `folder`. Thread safe, also beside writers in other processes.

    The house holds one for all accounts and regions, and enters that of one by `of`.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()
        self._places: dict[Path, tuple[int, int]] = {}
        """How many lines of a file are complete, and the byte behind them, as far as it was read."""

    def of(self, scope: Scope) -> FileLogs:
        """The logs of one account and region, in a folder of their own."""
        return FileLogs(self._folder / names.encode(scope.account) / names.encode(scope.region), self._clock)

    def forget_part(self, extent: Extent) -> None:
        """Delete all streams of a part of the house."""
        for folder in self._folder.glob("*/*"):
            account, region = (names.decode(at.parent, at.name) for at in (folder.parent, folder))
            if extent.covers(Scope(account, region)):
                shutil.rmtree(folder, ignore_errors=True)

    def all(self) -> list[FileLogs]:
        """The logs of every account and region that has any."""
        return [FileLogs(folder, self._clock) for folder in sorted(self._folder.glob("*/*")) if folder.is_dir()]

    # --- the port -----------------------------------------------------------------------------------------------

    def path(self, group: str, stream: str) -> Path:
        """The file of a stream, created empty when it is new."""
        path = self._make_group(group)
        path = path / (names.remember(path, stream) + SUFFIX)
        path.touch(exist_ok=True)
        return path

    def append(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Add lines, stamped with the time now."""
        now = int(self._clock.now() * 1000)
        self.put(group, stream, (LogLine(now, line) for line in lines))

    def read(self, group: str, stream: str, start: int = 0) -> Iterator[LogLine]:
        """The lines of a stream from line number `start` on, an unfinished last one included.

        Lines that were dropped keep their numbers. Whoever goes on where he stopped is spared the lines before.
        """
        path, last = self.locate(group, stream), 0
        number, offset = self._places.get(path, (0, 0))
        if number > start:
            number, offset = 0, 0
        try:
            file = path.open("rb", buffering=BLOCK)
        except FileNotFoundError:
            return
        with file:
            for at, begin, raw in _numbered(file, path, number, offset):
                if raw.endswith(b"\n"):
                    number, offset = at + 1, begin + len(raw)
                if at >= start:
                    line = parse(raw, last)
                    last = line.timestamp
                    yield line
        self._remember(path, number, offset)

    # --- what the CloudWatch Logs neighbour needs besides -------------------------------------------------------

    def put(self, group: str, stream: str, lines: Iterable[LogLine]) -> None:
        """Add lines with stamps of their own, in one write."""
        with self.path(group, stream).open("ab", buffering=0) as file:
            file.write(format_lines(lines))

    def locate(self, group: str, stream: str) -> Path:
        """Where a stream's file is, or would be; nothing is created."""
        return self._group(group) / (names.encode(stream) + SUFFIX)

    def groups(self, prefix: str = "") -> list[str]:
        """The names of the groups that begin with `prefix`, in order."""
        if not self._folder.is_dir():
            return []
        folders = [entry.name for entry in os.scandir(self._folder) if entry.is_dir()]
        return sorted(name for f in folders if (name := names.decode(self._folder, f)).startswith(prefix))

    def has_group(self, group: str) -> bool:
        """Whether the group exists."""
        return self._group(group).is_dir()

    def has_stream(self, group: str, stream: str) -> bool:
        """Whether the stream exists."""
        return self.locate(group, stream).is_file()

    def streams(self, group: str, prefix: str = "") -> list[str]:
        """The names of a group's streams that begin with `prefix`, in order; none when there is no such group."""
        folder = self._group(group)
        if not folder.is_dir():
            return []
        stems = [entry.name[: -len(SUFFIX)] for entry in os.scandir(folder) if entry.name.endswith(SUFFIX)]
        return sorted(name for s in stems if (name := names.decode(folder, s)).startswith(prefix))

    def facts(self, group: str, stream: str) -> StreamFacts:
        """Times and size of a stream: reads its first line and its last, no more."""
        path = self.locate(group, stream)
        status = path.stat()
        written = int(status.st_mtime * 1000)
        begin = first_byte(path)
        with path.open("rb") as file:
            file.seek(begin)
            raw = file.readline(BLOCK)
        if not raw.endswith(b"\n"):
            return StreamFacts(stream, written, None, None, written, status.st_size - begin)
        first = parse(raw, written).timestamp
        last = next((p.line.timestamp for p in backwards(path, status.st_size)), first)
        return StreamFacts(stream, min(first, written), first, max(last, first), written, status.st_size - begin)

    def created(self, group: str) -> int:
        """When a group was made, in milliseconds."""
        return int((self._group(group) / BORN).stat().st_mtime * 1000)

    def size(self, group: str) -> int:
        """The bytes that a group's streams hold."""
        return sum(entry.stat().st_size for entry in os.scandir(self._group(group)) if entry.name.endswith(SUFFIX))

    def make_group(self, group: str) -> None:
        """Create a group; nothing happens when it exists already."""
        self._make_group(group)

    def remove_group(self, group: str) -> None:
        """Delete a group and its streams."""
        self._places.clear()
        shutil.rmtree(self._group(group))

    def remove_stream(self, group: str, stream: str) -> None:
        """Delete a stream."""
        self._places.clear()
        self.locate(group, stream).unlink()

    def _remember(self, path: Path, number: int, offset: int) -> None:
        if len(self._places) >= PLACES:
            self._places.clear()
        self._places[path] = (number, offset)

    def _group(self, group: str) -> Path:
        return self._folder / names.encode(group)

    def _make_group(self, group: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = self._folder / names.remember(self._folder, group)
        folder.mkdir(exist_ok=True)
        born = folder / BORN
        if not born.exists():
            born.touch()
            now = self._clock.now()
            os.utime(born, (now, now))
        return folder


def _numbered(file: Any, path: Path, number: int, offset: int) -> Iterator[tuple[int, int, bytes]]:
    """(number, first byte, bytes) of the lines from `offset` on, where line `number` begins."""
    file.seek(offset)
    while head := file.peek(1)[:1]:
        if head == b"\0" and (kept := first_byte(path)) > offset:
            file.seek(offset := kept)
            raw = file.readline(LONGEST)
            number = max(number, lines_before(raw))
        else:
            raw = file.readline(LONGEST)
        yield number, offset, raw
        number, offset = number + 1, offset + len(raw)
