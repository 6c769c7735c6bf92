"""A stream whose oldest lines were dropped (`log_limit`): its file begins with zeros, and then says how many lines."""

from __future__ import annotations

import os
import re
from pathlib import Path

BLOCK = 1024 * 1024
_NOTICE = re.compile(rb"\d+ Sagelet dropped the first (\d+) lines of this log")


def first_byte(path: Path) -> int:
    """Where the first line that is kept begins. A line never begins with a zero: its stamp comes first."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.pread(handle, 1, 0) != b"\0":
            return 0
        offset = _first_data(handle)
        while block := os.pread(handle, BLOCK, offset):
            if kept := block.lstrip(b"\0"):
                return offset + len(block) - len(kept)
            offset += len(block)
        return offset
    finally:
        os.close(handle)


def lines_before(raw: bytes) -> int:
    """How many lines are missing in front of the first one that is kept, `raw`: it stands for the last of them."""
    told = _NOTICE.match(raw)
    return int(told.group(1)) - 1 if told else 0


def _first_data(handle: int) -> int:
    try:
        return os.lseek(handle, 0, os.SEEK_DATA)
    except (OSError, AttributeError):  # no data behind the hole, or a system that does not know holes
        return 0
