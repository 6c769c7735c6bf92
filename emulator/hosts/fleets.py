"""The fleets that there are, one for each generation of an endpoint, and which of them is asked."""

from __future__ import annotations

import threading

from emulator.call import Extent, Scope
from emulator.hosts.fleet import Fleet

Key = tuple[Scope, str]
"""An endpoint: its scope and name."""


class Fleets:
    """Thread safe. A fleet that has been taken away, or that another one has replaced, is not routed to."""

    def __init__(self) -> None:
        self._fleets: dict[tuple[Key, int], Fleet] = {}
        self._routes: dict[Key, Fleet] = {}
        self._lock = threading.Lock()

    def put(self, key: Key, generation: int, fleet: Fleet) -> None:
        with self._lock:
            self._fleets[key, generation] = fleet

    def find(self, key: Key, generation: int) -> Fleet | None:
        """None where it never came up."""
        return self._fleets.get((key, generation))

    def holds(self, key: Key, generation: int, fleet: Fleet) -> bool:
        """Whether it is still the fleet of this generation: another endpoint may have the name by now."""
        with self._lock:
            return self._fleets.get((key, generation)) is fleet

    def asked(self, key: Key) -> Fleet | None:
        """The fleet that answers invocations."""
        return self._routes.get(key)

    def route(self, key: Key, generation: int) -> None:
        """Ask this one from now on."""
        with self._lock:
            if fleet := self._fleets.get((key, generation)):
                self._routes[key] = fleet

    def route_first(self, key: Key, generation: int, fleet: Fleet) -> None:
        """Ask it where no other is asked yet."""
        with self._lock:
            if self._fleets.get((key, generation)) is fleet:
                self._routes.setdefault(key, fleet)

    def take(self, key: Key, generation: int) -> Fleet | None:
        """Out of the table, to be closed; who is asked stays."""
        with self._lock:
            return self._fleets.pop((key, generation), None)

    def take_all(self, key: Key) -> list[Fleet]:
        """All generations of an endpoint, which nobody asks any more."""
        with self._lock:
            self._routes.pop(key, None)
            return [self._fleets.pop(one) for one in list(self._fleets) if one[0] == key]

    def take_covered(self, extent: Extent) -> list[Fleet]:
        """Those of a part of the house, which nobody asks any more."""
        with self._lock:
            for key in [key for key in self._routes if extent.covers(key[0])]:
                del self._routes[key]
            return [self._fleets.pop(one) for one in list(self._fleets) if extent.covers(one[0][0])]

    def forget(self, key: Key, generation: int, fleet: Fleet) -> None:
        """Unless another one has taken its place meanwhile."""
        with self._lock:
            if self._fleets.get((key, generation)) is fleet:
                del self._fleets[key, generation]
            if self._routes.get(key) is fleet:
                del self._routes[key]

    def all(self) -> list[Fleet]:
        with self._lock:
            return list(self._fleets.values())
