"""Room that is kept for writing down what must be written down: a file that is given up when the disk is full.

A program that fills the disk must not keep the house from recording how it ended.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SIZE = 4 * 1024 * 1024
"""Bytes: some hundred steps of jobs."""

ENOUGH = 4 * SIZE
"""Free bytes from which on the reserve is laid again."""


class Reserve:
    """The file `path`. Not thread safe: used under the writer's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._laid = False
        self.lay()

    def lay(self) -> None:
        """Take the room, unless it is taken or there is hardly any."""
        if self._laid:
            return
        with contextlib.suppress(OSError):
            state = os.statvfs(self._path.parent)
            if state.f_bavail * state.f_frsize < ENOUGH:
                return
            with self._path.open("wb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, SIZE)
                else:
                    file.write(bytes(SIZE))
            self._laid = True

    def spend(self) -> None:
        """Give the room up."""
        self._laid = False
        with contextlib.suppress(OSError):
            self._path.unlink()
