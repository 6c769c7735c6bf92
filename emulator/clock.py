"""Time as a port: the real clock, and one that tests move by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Tells the time and wakes waiters; engines never call `time` themselves."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def call_at(self, when: float, what: Callable[[], None]) -> Callable[[], None]:
        """Run `what` once at `when` (in a thread of the clock's); returns a function that cancels it."""
        ...


class SystemClock:
    """The real time. One timer thread per pending call, all daemons: a timer never keeps the server alive."""

    def now(self) -> float:
        return time.time()

    def call_at(self, when: float, what: Callable[[], None]) -> Callable[[], None]:
        timer = threading.Timer(max(0.0, when - self.now()), what)
        timer.daemon = True
        timer.start()
        return timer.cancel


class ManualClock:
    """A clock for tests: time passes only in `advance`, which runs what has become due, in order, in the caller."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, what: Callable[[], None]) -> Callable[[], None]:
        self._count += 1
        entry = (when, self._count, what)
        self._due.append(entry)

        def cancel() -> None:
            if entry in self._due:
                self._due.remove(entry)

        return cancel

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        end = self._now + seconds
        while True:
            due = sorted(e for e in self._due if e[0] <= end)
            if not due:
                break
            self._due.remove(due[0])
            self._now = max(self._now, due[0][0])
            due[0][2]()
        self._now = end
