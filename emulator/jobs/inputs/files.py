"""Objects put into a folder: as copies that the program owns, or as links for a folder that it sees read-only."""

from __future__ import annotations

import errno
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from emulator.jobs.inputs.objects import UNKNOWN, Item, safe_name
from emulator.jobs.recipes.recipe import JobBroken
from emulator.ports import Storage

AT_ONCE = 4
"""Threads. Objects of this machine are not copied faster by several; those of an S3 somewhere else are."""

BATCH_OBJECTS = 64
BATCH_BYTES = 16 << 20

Halt = Callable[[], bool]
Count = tuple[int, int]
"""Objects and bytes."""


def put(storage: Storage, items: Iterable[Item], folder: Path, linked: bool, halt: Halt) -> Count:
    """Put objects under `folder`, `linked` or as copies. Gives up (without an error) once `halt()`.

    Memory is that of a few batches, however many objects there are. Raises `JobBroken` for a name that leaves the
    folder or collides, and for an object that is gone; of several failures the first in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    failed = threading.Event()
    writer = _Writer(storage, str(folder), linked, lambda: failed.is_set() or halt())
    under_way: deque[Future[Count]] = deque()
    objects = size = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="intake") as pool:
        try:
            for batch in _batches(items):
                under_way.append(pool.submit(writer.write, batch))
                if len(under_way) > AT_ONCE:
                    objects, size = _sum((objects, size), under_way.popleft().result())
                if halt():
                    break
            while under_way:
                objects, size = _sum((objects, size), under_way.popleft().result())
        finally:
            failed.set()
    return objects, size


def place(storage: Storage, item: Item, folder: Path) -> None:
    """Put one object under `folder`, as `put` does."""
    _Writer(storage, str(folder), False, lambda: False).write([item])


class _Writer:
    """Writes batches. Thread safe."""

    def __init__(self, storage: Storage, folder: str, linked: bool, halt: Halt) -> None:
        self._storage = storage
        self._folder = folder
        self._linked = linked
        self._halt = halt

    def write(self, batch: list[Item]) -> Count:
        """Objects and bytes that were written; fewer than given when there was a halt."""
        made, size = "", 0
        for number, item in enumerate(batch):
            if self._halt():
                return number, size
            name = safe_name(item.name)
            parent = name.rpartition("/")[0]
            target = f"{self._folder}/{name}"
            try:
                if parent != made or not number:
                    Path(target).parent.mkdir(parents=True, exist_ok=True)
                    made = parent
                self._storage.take(item.found, target, self._linked, self._halt)
            except InterruptedError:
                return number, size
            except OSError as error:
                raise _explained(item, name, error) from error
            size += Path(target).stat().st_size if item.size == UNKNOWN else item.size
        return len(batch), size


def _explained(item: Item, name: str, error: OSError) -> Exception:
    """What is the job's fault, as a failure of the job; what is this machine's (a full disk) as it is."""
    where = f"s3://{item.bucket}/{item.key}"
    if isinstance(error, FileNotFoundError):
        return JobBroken(f"ClientError: Data download failed: no such object {where}")
    if isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError)):
        return JobBroken(
            f"ClientError: Data download failed: {where} cannot be written as the file {name!r}: "
            "another object of the channel has that name as a file or as a folder"
        )
    if error.errno == errno.ENAMETOOLONG:
        return JobBroken(f"ClientError: Data download failed: {where}: the name {name!r} is too long for a file")
    return error


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Few large objects or many small ones; those of unknown size count as a megabyte."""
    batch: list[Item] = []
    weight = 0
    for item in items:
        batch.append(item)
        weight += (1 << 20) if item.size == UNKNOWN else item.size
        if len(batch) == BATCH_OBJECTS or weight >= BATCH_BYTES:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _sum(left: Count, right: Count) -> Count:
    return left[0] + right[0], left[1] + right[1]
