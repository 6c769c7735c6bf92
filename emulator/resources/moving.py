"""Records whose status moves by itself: what a verb may do in which status, and how the time in between passes.

A record on its way says so by its status alone (`Facts.rests`), so that nothing else need be remembered over a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from emulator.call import EVERYTHING, Extent, Scope
from emulator.clock import Clock
from emulator.kinds.facts import Facts
from emulator.resources.faults import fault
from emulator.store.records import Record


def check(facts: Facts, verb: str, record: Record) -> None:
    """The kind's error when a record's status forbids a verb: it is on its way, or not where the verb begins."""
    move = facts.moves.get(verb)
    allowed = record.status not in facts.rests if move is None or not move.since else record.status in move.since
    if allowed or not record.status:
        return
    since = ", ".join(move.since) if move else ""
    more = {"verb": verb.lower(), "status": record.status, "since": since, "via": move.via if move else ""}
    raise fault(facts.unready(verb), facts, record.key, record.arn, **more)


def check_lasting(facts: Facts, record: Record) -> None:
    """The kind's error for an absent record when this one is about to go: nothing may be hung on it any more."""
    if facts.rests.get(record.status) == "":
        raise fault(facts.missing, facts, record.key, record.arn)


def leaves(facts: Facts, before: Record, after: Record) -> bool:
    """Whether an edit sends a record on its way to be gone."""
    return before.status != after.status and facts.rests.get(after.status) == ""


def begun(facts: Facts, verb: str, record: Record, pace: float) -> Record:
    """A record that a verb has sent on its way; at no pace it is there already."""
    move = facts.moves.get(verb)
    if move is None:
        return record
    status = move.via if pace and move.via else move.to
    return replace(record, status=status) if status else record


class Travels:
    """The records that are on their way. `arrive` is called with each when `pace` seconds have passed."""

    def __init__(self, clock: Clock, pace: float, arrive: Callable[[Record], None]) -> None:
        self.pace = pace
        self._clock = clock
        self._arrive = arrive
        self._lock = threading.Lock()
        self._pending: dict[int, tuple[Scope, Callable[[], None]]] = {}
        self._count = 0

    def set_out(self, record: Record) -> None:
        """Let a record arrive after the pace."""
        with self._lock:
            self._count += 1
            number = self._count
            when = self._clock.now() + self.pace
            self._pending[number] = record.scope, self._clock.call_at(when, lambda: self._reach(number, record))

    def _reach(self, number: int, record: Record) -> None:
        with self._lock:
            if self._pending.pop(number, None) is None:
                return
        self._arrive(record)

    def give_up(self, extent: Extent = EVERYTHING) -> None:
        """Let nobody of a part of the house arrive any more. When it is closing, the next one finds them by their
        statuses."""
        with self._lock:
            numbers = [number for number, (scope, _) in self._pending.items() if extent.covers(scope)]
            cancels = [self._pending.pop(number)[1] for number in numbers]
        for cancel in cancels:
            cancel()
