"""Bytes as immutable files. A blob is written into `tmp/`, becomes part of the index by its commit, and moves then.

The commit decides: what a killed server left in `tmp/` is moved at the next start if the index refers to it, and
removed if not. Knows no buckets and no keys.
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

CHUNK = 1024 * 1024
SMALL = 128 * 1024
SLICE = 64 * CHUNK
"""What the kernel copies at a time."""

_NO_KERNEL_COPY = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)


class Blobs:
    """The files below one folder, named by random ids. Thread safe."""

    def __init__(self, folder: Path, referenced: Callable[[], set[str]]) -> None:
        self._folder = folder
        self._text = str(folder)
        self._tmp = folder / "tmp"
        self._tmp.mkdir(parents=True, exist_ok=True)
        self._holding = threading.Lock()
        self._holders = 0
        self._waiting: list[str] = []
        self._clean(referenced)

    def write(self) -> Draft:
        """Begin a new blob."""
        return Draft(self._tmp)

    def join(self, names: Iterable[str]) -> Draft:
        """A new blob with the bytes of others, one after the other; copied by the kernel where it can."""
        draft = self.write()
        try:
            for name in names:
                with self.open(name) as source:
                    draft.append(source)
        except BaseException:
            draft.drop()
            raise
        return draft

    def settle(self, name: str) -> None:
        """Move a blob to its place, after the index has committed to it; one that is there already (a copy) stays."""
        draft, place = self._tmp / name, self._place(name)
        try:
            draft.rename(place)
        except FileNotFoundError:
            if draft.exists():
                place.parent.mkdir(exist_ok=True)
                draft.rename(place)

    def path(self, name: str) -> Path:
        """Where a blob is; in `tmp/` for the blink between commit and move."""
        place = self._place(name)
        return self._tmp / name if not place.exists() and (self._tmp / name).exists() else place

    def open(self, name: str) -> BinaryIO:
        """Read a blob; `FileNotFoundError` when it has been removed."""
        try:
            return self._place(name).open("rb", buffering=0)
        except FileNotFoundError:
            return self.path(name).open("rb", buffering=0)

    def descriptor(self, name: str) -> int:
        """An open file of a blob that is in its place; `FileNotFoundError` otherwise. `open`, for many in a row."""
        return os.open(f"{self._text}/{name[:2]}/{name}", os.O_RDONLY | os.O_CLOEXEC)

    def link(self, name: str, target: str) -> bool:
        """Make `target` another name of a blob; False where that cannot be (another file system, too many links, or
        the blob is not in its place)."""
        try:
            os.link(f"{self._text}/{name[:2]}/{name}", target)
        except FileExistsError:
            raise
        except OSError:
            return False
        return True

    def remove(self, names: Iterable[str]) -> None:
        """Delete blobs that the index does not refer to any more; who has one open reads on."""
        for name in names:
            if not self._put_off(name):
                self.path(name).unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is removed in the block can be read until its end: it waits in `tmp/`, where a killed server's next
        life removes it."""
        with self._holding:
            self._holders += 1
        try:
            yield
        finally:
            with self._holding:
                self._holders -= 1
                over = [] if self._holders else self._waiting
                self._waiting = self._waiting if self._holders else []
            for name in over:
                (self._tmp / name).unlink(missing_ok=True)

    def _put_off(self, name: str) -> bool:
        with self._holding:
            if not self._holders:
                return False
            with suppress(FileNotFoundError):
                self.path(name).rename(self._tmp / name)
            self._waiting.append(name)
            return True

    def clear(self) -> None:
        """Delete everything."""
        for file in self._folder.glob("*/*"):
            file.unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _clean(self, referenced: Callable[[], set[str]]) -> None:
        left = [entry.name for entry in self._tmp.iterdir()]
        kept = referenced() if left else set()
        for name in left:
            if name in kept:
                self.settle(name)
            else:
                (self._tmp / name).unlink(missing_ok=True)


class Draft:
    """A blob that is being written: `finish` makes it whole, `drop` forgets it."""

    def __init__(self, folder: Path) -> None:
        self.name = secrets.token_hex(16)
        self.size = 0
        self._path = folder / self.name
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes."""
        _write_all(self._file, data)
        self.size += len(data)

    def append(self, source: BinaryIO) -> None:
        """Add all of a file."""
        while True:
            count = _kernel_copy(source.fileno(), self._file, 4 * SLICE)
            if count is None:
                count = len(data := source.read(CHUNK))
                self.write(data)
            else:
                self.size += count
            if not count:
                return

    def finish(self) -> str:
        """Close the file; the name of the blob."""
        self._close()
        return self.name

    def drop(self) -> None:
        """Remove the file."""
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def hand_out(source: BinaryIO, target: Path) -> None:
    """Make `target` a read-only file with the bytes of an opened blob: a copy, which the kernel makes (and shares the
    blocks of, where the file system can).

    Not a hard link: a program owns its inputs, and whatever their mode could write through the link into the object.
    """
    target.unlink(missing_ok=True)
    draft = Draft(target.parent)
    try:
        draft.append(source)
        (target.parent / draft.finish()).rename(target)
    except BaseException:
        draft.drop()
        raise


def copy_out(source: int, target: str, halt: Callable[[], bool]) -> None:
    """Make the new read-only file `target` with the rest of the open file `source`; a failure leaves no file behind.

    Written for tens of thousands of small files: a read is quicker for those than to ask the kernel for a copy, which
    is quicker for all others.
    """
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        _write_all(file, data := os.read(source, SMALL))
        if len(data) == SMALL:
            _copy_rest(source, file, halt)
    except BaseException:
        Path(target).unlink()
        raise
    finally:
        os.close(file)


def _copy_rest(source: int, file: int, halt: Callable[[], bool]) -> None:
    while not halt():
        count = _kernel_copy(source, file, SLICE)
        if count is None:
            _write_all(file, data := os.read(source, CHUNK))
            count = len(data)
        if not count:
            return
    raise InterruptedError("The copy was given up")


def _write_all(file: int, data: bytes | bytearray | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _kernel_copy(source: int, file: int, most: int) -> int | None:
    """Bytes that the kernel copied; 0 at the end, None where it cannot."""
    if not hasattr(os, "copy_file_range"):
        return None
    try:
        return os.copy_file_range(source, file, most)
    except OSError as refused:
        if refused.errno in _NO_KERNEL_COPY:
            return None
        raise
