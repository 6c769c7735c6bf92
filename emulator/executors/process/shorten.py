"""Keeps a run's log from filling the disk: of a file that grows past its limit the oldest lines are given back.

The file keeps its offsets: its beginning becomes a hole, and a line behind the hole tells how many lines are gone.
`emulator.logs.shortened` reads such files. Where a file system makes no holes, the newest lines are dropped instead.
"""

from __future__ import annotations

import os
import re

from emulator.executors.process import linux

BLOCK = 1024 * 1024
_NOTICE = re.compile(rb"\d+ Sagelet dropped the first (\d+) lines of this log")


class Limit:
    """`most` bytes of the log at `path`; 0 is no limit."""

    def __init__(self, path: str, most: int) -> None:
        self._path = path
        self._most = most
        self._begin: int | None = None
        self.full = False
        """Whether nothing may be added any more."""

    def grown(self, size: int, stamp: bytes) -> bytes:
        """The file has `size` bytes now; the line to add when this is the last one that it takes."""
        if not self._most or size - (self._begin or 0) <= self._most or self.full:
            return b""
        try:
            self._shorten(size, stamp)
        except OSError as error:
            self.full = True
            return (
                b"%sSagelet drops what follows: the log has reached its limit of %s (SAGELET_LOG_LIMIT), and its first "
                b"lines cannot be given back (%s).\n" % (stamp, self._limit(), (error.strerror or "").encode())
            )
        return b""

    def _shorten(self, size: int, stamp: bytes) -> None:
        """Keep three quarters of the limit, so that this is rare."""
        handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            begin = _begin(handle)
            if size - begin > self._most:
                cut = _next_line(handle, size - self._most * 3 // 4)
                begin = self._cut(handle, begin, cut, stamp)
            self._begin = begin
        finally:
            os.close(handle)

    def _cut(self, handle: int, begin: int, cut: int, stamp: bytes) -> int:
        told = _NOTICE.match(os.pread(handle, 200, begin))
        # The line that tells stands for the last of those that it speaks of.
        lines = _count(handle, begin, cut) + (int(told.group(1)) - 1 if told else 0)
        notice = b"%sSagelet dropped the first %d lines of this log: it keeps the last %s (SAGELET_LOG_LIMIT).\n"
        text = notice % (stamp, lines, self._limit())
        # The line end in front is for those who read between the two steps.
        os.pwrite(handle, b"\n" + text, cut - len(text) - 1)
        linux.punch_hole(handle, begin - begin % 4096, cut - len(text) - (begin - begin % 4096))
        return cut - len(text)

    def _limit(self) -> bytes:
        return b"%d MiB" % (self._most >> 20) if self._most >= 1 << 20 else b"%d bytes" % self._most


def _begin(handle: int) -> int:
    """The first byte that is kept: a line never begins with a zero."""
    if os.pread(handle, 1, 0) != b"\0":
        return 0
    offset = os.lseek(handle, 0, os.SEEK_DATA)
    while block := os.pread(handle, BLOCK, offset):
        if kept := block.lstrip(b"\0"):
            return offset + len(block) - len(kept)
        offset += len(block)
    return offset


def _next_line(handle: int, offset: int) -> int:
    while block := os.pread(handle, BLOCK, offset):
        found = block.find(b"\n")
        if found >= 0:
            return offset + found + 1
        offset += len(block)
    return offset


def _count(handle: int, begin: int, end: int) -> int:
    lines = 0
    while begin < end and (block := os.pread(handle, min(BLOCK, end - begin), begin)):
        lines += block.count(b"\n")
        begin += len(block)
    return lines
