"""Time as a port: the real clock, and one that tests move by hand."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from typing import Protocol

LONGEST_NAP = 30.0
"""Seconds after which the time is looked at again: it may have been set, or the machine may have slept."""


class Clock(Protocol):
    """Tells the time and wakes waiters; engines never call `time` themselves."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def call_at(self, when: float, what: Callable[[], None]) -> Callable[[], None]:
        """Run `what` once at `when` (in a thread of the clock's); returns a function that cancels it."""
        ...


class SystemClock:
    """The real time. One thread waits for all pending calls, and each call gets its own: none can hold up another.

    All are daemons: a pending call never keeps the server alive.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._waiter: threading.Thread | None = None

    def now(self) -> float:
        return time.time()

    def call_at(self, when: float, what: Callable[[], None]) -> Callable[[], None]:
        with self._changed:
            self._count += 1
            entry = (when, self._count, what)
            heapq.heappush(self._pending, entry)
            if self._waiter is None:
                self._waiter = threading.Thread(target=self._wait, name="clock", daemon=True)
                self._waiter.start()
            self._changed.notify()

        def cancel() -> None:
            with self._changed:
                if entry in self._pending:
                    self._pending.remove(entry)
                    heapq.heapify(self._pending)
                    self._changed.notify()

        return cancel

    def _wait(self) -> None:
        """Call what is due; end when nothing is pending."""
        with self._changed:
            while self._pending:
                left = self._pending[0][0] - self.now()
                if left > 0:
                    self._changed.wait(min(left, LONGEST_NAP))
                else:
                    what = heapq.heappop(self._pending)[2]
                    threading.Thread(target=what, name="clock:call", daemon=True).start()
            self._waiter = None


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
