"""The deadlines of jobs: what happens to a job at a time, unless the job is over before."""

from __future__ import annotations

import threading
from collections.abc import Callable

from emulator.clock import Clock
from emulator.jobs.record import JobRef


class Deadlines:
    """Any number of deadlines for each job, called off together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._armed: dict[JobRef, list[Callable[[], None]]] = {}

    def arm(self, ref: JobRef, when: float | None, what: Callable[[], None]) -> None:
        """Call `what` at `when`; nothing happens without a time."""
        if when is None:
            return
        cancel = self._clock.call_at(when, what)
        with self._lock:
            self._armed.setdefault(ref, []).append(cancel)

    def disarm(self, ref: JobRef) -> None:
        """The job is over."""
        with self._lock:
            cancels = self._armed.pop(ref, [])
        for cancel in cancels:
            cancel()

    def forget(self, forgotten: Callable[[JobRef], bool]) -> None:
        """Call off those of some jobs."""
        with self._lock:
            refs = [ref for ref in self._armed if forgotten(ref)]
        for ref in refs:
            self.disarm(ref)

    def clear(self) -> None:
        """Call all off: the house is closing."""
        self.forget(lambda ref: True)
