"""A folder of a running program kept in step with a place in S3: checkpoints, TensorBoard logs, Continuous outputs."""

from __future__ import annotations

import logging
import time

from emulator.jobs.left import Left
from emulator.ports import Storage
from emulator.storage import uri

log = logging.getLogger(__name__)

Stamp = tuple[int, int]
"""Modification time in nanoseconds, and size: what tells that a file is another one."""


class Sync:
    """Uploads what is new or has changed of `folder` to the URI `location`; nothing is ever deleted there.

    A file that is still being written is seen twice before it is taken: half a checkpoint would replace a whole one.
    """

    def __init__(self, storage: Storage, folder: Left, location: str, period: float) -> None:
        self._storage = storage
        self._folder = folder
        self._location = location
        self._period = period
        self._next = time.monotonic() + period
        self._seen: dict[str, Stamp] = {}
        self._stored: dict[str, Stamp] = {}

    def known(self) -> None:
        """What lies in the folder now came from S3, and need not go back."""
        self._stored = self._stamps()

    def now_and_then(self) -> None:
        """Upload what has settled, but not more often than once in a period. What fails is tried again."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._period
        stamps = self._stamps()
        settled = {name: stamp for name, stamp in stamps.items() if self._seen.get(name) == stamp}
        self._seen = stamps
        try:
            self._store(settled)
        except OSError as error:
            log.warning(
                "%s cannot be kept in step with %s: %s", self._folder.base / self._folder.inside, self._location, error
            )

    def finish(self) -> bool:
        """Upload all that is not there yet; whether the folder holds anything. `FileNotFoundError`: no such bucket."""
        stamps = self._stamps()
        self._store(stamps)
        return bool(stamps)

    def _store(self, stamps: dict[str, Stamp]) -> None:
        bucket, prefix = uri.parse(self._location)
        for name, stamp in stamps.items():
            if self._stored.get(name) != stamp:
                self._folder.store(self._storage, name, bucket, f"{prefix.rstrip('/')}/{name}".lstrip("/"))
                self._stored[name] = stamp

    def _stamps(self) -> dict[str, Stamp]:
        return {name: (state.st_mtime_ns, state.st_size) for name, state in self._folder.files()}
