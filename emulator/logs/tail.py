"""Follows a stream file that somebody else writes: what is new since the last look, complete lines only."""

from __future__ import annotations

from pathlib import Path

from emulator.logs.lines import parse
from emulator.logs.shortened import first_byte
from emulator.ports import LogLine

MOST = 4 * 1024 * 1024


class Tail:
    """An incremental reader. `offset` is the byte behind the last line given out: keep it to go on after a restart."""

    def __init__(self, path: Path, offset: int = 0, most: int = MOST) -> None:
        self.path = path
        self.offset = offset
        self._most = most
        self.more = False
        """Whether there was more than the last call gave out."""
        self._last = 0

    def read(self, over: bool = False) -> list[LogLine]:
        """The lines that were completed since the last call, at most `most` bytes of them (call again until empty).

        With `over` (the writer has ended) a last line without a newline counts as complete.
        """
        try:
            block = self._block()
            if block.startswith(b"\0") and (kept := first_byte(self.path)) > self.offset:
                self.offset = kept
                block = self._block()
        except FileNotFoundError:
            return []
        self.more = len(block) == self._most
        cut = block.rfind(b"\n") + 1
        if (cut == 0 and len(block) == self._most) or (over and len(block) < self._most):
            cut = len(block)
        self.offset += cut
        return [self._line(raw) for raw in block[:cut].split(b"\n") if raw]

    def _block(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self._most)

    def _line(self, raw: bytes) -> LogLine:
        line = parse(raw, self._last)
        self._last = line.timestamp
        return line
