"""What programs leave behind, reached without following their links, and without waiting for their pipes.

A program owns its folders and may put anything in their place: a link there would have the house publish, or wait for,
what is none of the job's.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from emulator.ports import Storage

_ELSEWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Left:
    """The folder `inside` of `base`, which itself is a mount of the program's and cannot be replaced by it."""

    base: Path
    inside: str = ""

    def folder(self) -> Path | None:
        """Where it is; None when there is no such folder. To be trusted once the program is over."""
        try:
            with _opened(self.base, self.inside) as there:
                real = stat.S_ISDIR(os.fstat(there).st_mode)
        except OSError:
            return None
        return self.base / self.inside if real else None

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """The regular files of the tree by relative name, in a stable order; none when there is no such folder."""
        try:
            with _opened(self.base, self.inside) as top:
                yield from _below(top)
        except OSError as error:
            if error.errno not in _ELSEWHERE:
                raise

    def store(self, storage: Storage, name: str, bucket: str, key: str) -> None:
        """Store one of the files, as it is now."""
        with _opened(self.base, f"{self.inside}/{name}") as file:
            if stat.S_ISREG(os.fstat(file).st_mode):
                storage.store(Path(f"/dev/fd/{file}"), bucket, key)

    def beginning(self, name: str, most: int) -> bytes:
        """Up to `most` bytes of a file; none when there is no such file, or no regular one."""
        try:
            with _opened(self.base, f"{self.inside}/{name}") as file:
                return os.read(file, most) if stat.S_ISREG(os.fstat(file).st_mode) else b""
        except OSError:
            return b""


@contextmanager
def _opened(base: Path, inside: str) -> Iterator[int]:
    """What is there, opened step by step: `OSError` where a step is a link, or nothing."""
    here = os.open(base, _READING)
    try:
        for part in PurePosixPath(inside.strip("/")).parts:
            there = os.open(part, _READING, dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


def _below(top: int) -> Iterator[tuple[str, os.stat_result]]:
    for root, folders, names, here in os.fwalk(".", dir_fd=top):
        folders.sort()
        for name in sorted(names):
            try:
                state = os.stat(name, dir_fd=here, follow_symlinks=False)
            except FileNotFoundError:  # the program removed it meanwhile
                continue
            if stat.S_ISREG(state.st_mode):
                yield PurePosixPath(root, name).as_posix(), state
