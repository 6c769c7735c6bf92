"""Endpoints in service of a former life of the house, whose servers are still being found: invocations wait."""

from __future__ import annotations

import threading

from emulator.call import EVERYTHING, Extent
from emulator.hosts.fleets import Key


class Returning:
    """Those that are not there yet. Thread safe."""

    def __init__(self) -> None:
        self._awaited: dict[Key, threading.Event] = {}
        self._lock = threading.Lock()

    def expect(self, key: Key) -> None:
        """Its servers are going to be looked for."""
        with self._lock:
            self._awaited.setdefault(key, threading.Event())

    def expects(self, key: Key) -> bool:
        """Whether its servers are still being looked for."""
        return key in self._awaited

    def wait(self, key: Key, seconds: float) -> None:
        """Until the servers of an endpoint are there, or never will be; at once for any other endpoint."""
        with self._lock:
            there = self._awaited.get(key)
        if there:
            there.wait(seconds)

    def release(self, key: Key) -> None:
        """They are there, or never will be: nobody waits any more."""
        with self._lock:
            if there := self._awaited.pop(key, None):
                there.set()

    def release_all(self, extent: Extent = EVERYTHING) -> None:
        """The same for every endpoint of a part of the house."""
        with self._lock:
            covered = [key for key in self._awaited if extent.covers(key[0])]
        for key in covered:
            self.release(key)
