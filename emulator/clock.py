"""Time as a port: the real clock, the real clock moved or stopped, and one that tests move by hand."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

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
                left = self._left(self._pending[0][0])
                if left > 0:
                    self._changed.wait(min(left, LONGEST_NAP))
                else:
                    what = heapq.heappop(self._pending)[2]
                    threading.Thread(target=what, name="clock:call", daemon=True).start()
            self._waiter = None

    def _left(self, when: float) -> float:
        """Seconds until a call is due."""
        return when - self.now()


class AdjustableClock(SystemClock):
    """The real time, which can be moved and stopped. What becomes due in a move runs in order, in the caller of the
    move, and each at its own time; what runs then sees the clock there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._offset = 0.0
        self._frozen: float | None = None
        self._turn = threading.Lock()
        self._moving = False

    def now(self) -> float:
        frozen = self._frozen
        return time.time() + self._offset if frozen is None else frozen

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen is not None

    @property
    def offset(self) -> float:
        """Seconds by which it is ahead of the machine's."""
        return self._offset if self._frozen is None else self._frozen - time.time()

    def waiting(self) -> list[float]:
        """When the calls that are pending are due, in order."""
        with self._changed:
            return sorted(entry[0] for entry in self._pending)

    def freeze(self) -> None:
        """Let it stand still."""
        with self._turn:
            self._frozen = self.now()

    def resume(self) -> None:
        """Let it go on from where it stood."""
        with self._turn:
            self._stand(self.now(), frozen=False)

    def restore(self) -> None:
        """Show the machine's time again."""
        with self._turn:
            self._offset, self._frozen = 0.0, None
            self._wake()

    def set(self, when: float) -> None:
        """Go to a time; backwards, nothing becomes due."""
        with self._turn:
            if when > self.now():
                self._advance(when)
            self._stand(when, self.frozen)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._turn:
            end = self.now() + seconds
            self._advance(end)
            self._stand(end, self.frozen)

    def _advance(self, end: float) -> None:
        self._moving = True
        try:
            while (entry := self._due(end)) is not None:
                self._stand(max(self.now(), entry[0]), self.frozen)
                try:
                    entry[2]()
                except Exception:
                    log.exception("what was due at %s failed", entry[0])
        finally:
            self._moving = False

    def _due(self, end: float) -> tuple[float, int, Callable[[], None]] | None:
        with self._changed:
            return heapq.heappop(self._pending) if self._pending and self._pending[0][0] <= end else None

    def _stand(self, when: float, frozen: bool) -> None:
        if frozen:
            self._frozen = when
        else:
            self._offset, self._frozen = when - time.time(), None
        self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _left(self, when: float) -> float:
        """While the clock is moved, the waiting thread lets the mover have what becomes due."""
        return LONGEST_NAP if self._moving else super()._left(when)


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
