"""Pages of a stream file by byte offset, forwards and backwards: a page costs what it holds, not what the file is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emulator.logs.lines import parse
from emulator.logs.shortened import first_byte
from emulator.ports import LogLine

BLOCK = 64 * 1024
LONGEST_LINE = 256 * 1024
"""A longer line is cut into several: CloudWatch takes no larger event, and a page must not hold a whole file."""


@dataclass(frozen=True)
class Placed:
    """A line and where it stands: its first byte, and the first byte behind it."""

    line: LogLine
    begin: int
    end: int


@dataclass(frozen=True)
class Page:
    """Lines of a stream, and the offsets from which the next page goes on forwards and backwards."""

    lines: tuple[Placed, ...]
    begin: int
    end: int


Wanted = Callable[[LogLine], bool]


def everything(line: LogLine) -> bool:
    """The filter that keeps all lines."""
    return True


def forwards(path: Path, start: int = 0) -> Iterator[Placed]:
    """The complete lines of a file from byte `start` on; a line that is still being written is left out."""
    last = 0
    try:
        file = path.open("rb", buffering=BLOCK)
    except FileNotFoundError:
        return
    with file:
        file.seek(start)
        while raw := file.readline(LONGEST_LINE):
            if raw.startswith(b"\0") and (kept := first_byte(path)) > start:
                file.seek(start := kept)
                continue
            if not raw.endswith(b"\n") and len(raw) < LONGEST_LINE:
                return
            line = parse(raw, last)
            last = line.timestamp
            yield Placed(line, start, start + len(raw))
            start += len(raw)


def backwards(path: Path, stop: int) -> Iterator[Placed]:
    """The complete lines in front of byte `stop`, the last one first. `stop` is the begin of a line, or the end."""
    with path.open("rb") as file:
        head = min(stop, file.seek(0, 2))
        floor = first_byte(path)
        held = b""
        while head > floor:
            size = min(BLOCK, head - floor)
            head -= size
            file.seek(head)
            held = file.read(size) + held
            first = 0 if head == floor else held.find(b"\n") + 1
            if head > floor and first in (0, len(held)):
                if len(held) < LONGEST_LINE:
                    continue
                first = 0
            yield from _reversed_lines(held[first:], head + first)
            held = held[:first]


def _reversed_lines(block: bytes, offset: int) -> Iterator[Placed]:
    pieces = block.split(b"\n")
    end = offset + len(block)
    torn = pieces.pop()
    end -= len(torn)
    for raw in reversed(pieces):
        begin = end - len(raw) - 1
        yield Placed(parse(raw), begin, end)
        end = begin


def page_after(path: Path, start: int, limit: int, room: int, wanted: Wanted = everything) -> Page:
    """Up to `limit` wanted lines of together up to `room` bytes from byte `start` on."""
    found: list[Placed] = []
    end = start
    for placed in forwards(path, start):
        if wanted(placed.line):
            room -= placed.end - placed.begin
            if found and room < 0:
                break
            found.append(placed)
        end = placed.end
        if len(found) >= limit or room < 0:
            break
    return Page(tuple(found), start if not found else found[0].begin, end)


def page_before(path: Path, stop: int, limit: int, room: int, wanted: Wanted = everything) -> Page:
    """Up to `limit` wanted lines of together up to `room` bytes in front of byte `stop`, in the order of the file."""
    found: list[Placed] = []
    begin, end = 0, None
    for placed in backwards(path, stop):
        end = placed.end if end is None else end
        if wanted(placed.line):
            room -= placed.end - placed.begin
            if found and room < 0:
                break
            found.append(placed)
        begin = placed.begin
        if len(found) >= limit or room < 0:
            break
    found.reverse()
    return Page(tuple(found), begin, end or 0)
