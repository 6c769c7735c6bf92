"""Turns a program's output into lines of a log stream, `{epoch_ms} text`, with bounded memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from emulator.executors.process.shorten import Limit

LONGEST_LINE = 256 * 1024 - 26
"""Bytes of one event, as CloudWatch Logs limits them (26 are its overhead); what is longer is split."""


class Stamper:
    """Feeds chunks of output into the file descriptor of a log. A full disk loses lines, never the program."""

    def __init__(self, log: int, now: Callable[[], float] = time.time, limit: Limit | None = None) -> None:
        self._log = log
        self._now = now
        self._limit = limit or Limit("", 0)
        self._rest = b""
        self._torn = False
        self.lost = 0
        """Bytes of log that could not be written."""

    def feed(self, chunk: bytes) -> None:
        """Take output as it comes; whole lines are written at once, the rest waits for its end."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        self._write(lines)
        while len(self._rest) > LONGEST_LINE:
            self._write([self._rest[:LONGEST_LINE]])
            self._rest = self._rest[LONGEST_LINE:]

    def close(self) -> None:
        """Write the last line, which has no end."""
        if self._rest:
            self._write([self._rest])
            self._rest = b""

    def _write(self, lines: list[bytes]) -> None:
        stamp = str(int(self._now() * 1000)).encode() + b" "
        pieces: list[bytes] = []
        for line in lines:
            text = _clean(line)
            for start in range(0, len(text) or 1, LONGEST_LINE):
                pieces += (stamp, text[start : start + LONGEST_LINE], b"\n")
        if not pieces or self._limit.full:
            return
        self._put(b"".join(pieces))
        last = self._limit.grown(os.fstat(self._log).st_size, stamp)
        if last:
            self._put(last)

    def _put(self, data: bytes) -> None:
        # After a part of a line was written and the rest was not, the next line must not continue it.
        whole = b"\n" + data if self._torn else data
        done = 0
        try:
            while done < len(whole):
                done += os.write(self._log, memoryview(whole)[done:])
        except OSError:
            self.lost += len(whole) - done
        if done:
            self._torn = whole[done - 1 : done] != b"\n"


def _clean(line: bytes) -> bytes:
    line = line[:-1] if line.endswith(b"\r") else line
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace").encode("utf-8")
    return line
