"""Where in its life a job goes wrong on purpose: no capacity, a failure before or while it runs, an interruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from emulator.jobs import lifecycle as life
from emulator.jobs.record import JobRef, News, job_of
from emulator.ports import Strike
from emulator.store.records import Record

if TYPE_CHECKING:
    from emulator.jobs.recipes.recipe import Tools

CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)
"""The service's words (docs/quirks.md)."""

FAULT_TAG = "sagelet:fault"
Outcome = tuple[life.Event, News]


class JobTrouble:
    """Asks the rules of the house about jobs, and marks those that are struck."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def admitted(self, ref: JobRef) -> life.Event:
        """What it means that it is a job's turn: if it is struck, there is no instance for it."""
        if not self._tools.trouble.work:
            return life.Admitted()
        record = self._tools.records.find(ref.kind, ref.scope, ref.name)
        if record is None or job_of(record).phase not in life.UNSTARTED or not self._struck("capacity", ref):
            return life.Admitted()
        return life.Broke(CAPACITY)

    def launched(self, ref: JobRef, launch: Callable[[], Outcome]) -> Outcome:
        """Launch a job; or, if it is struck, fail instead, or remember when it is to fail."""
        strike = self._struck("job-failure", ref)
        if strike is not None and not strike.seconds:
            return life.Broke(strike.reason), News()
        event, news = launch()
        at = None if strike is None else {"at": self._tools.clock.now() + strike.seconds, "reason": strike.reason}
        return event, replace(news, hidden={**news.hidden, "strike": at})

    def failure(self, record: Record) -> tuple[float | None, life.Struck]:
        """When a job that runs is to fail, if it is, and the event of that moment."""
        strike = record.hidden.get("strike") or {}
        return strike.get("at"), life.Struck(str(strike.get("reason", "")))

    def interruption(self, ref: JobRef, record: Record) -> float | None:
        """When a job that runs on spot capacity is interrupted. Once at the most: the second attempt comes through."""
        if not record.body.get("EnableManagedSpotTraining") or record.hidden.get("interrupted"):
            return None
        strike, usual = self._struck("spot-interruption", ref), self._tools.settings.spot_interrupt
        seconds = strike.seconds if strike is not None else usual
        return self._tools.clock.now() + seconds if strike is not None or usual > 0 else None

    def _struck(self, kind: str, ref: JobRef) -> Strike | None:
        strike = self._tools.trouble.strike(kind, f"Create{ref.kind}", ref.scope, ref.name)
        if strike is not None:
            arn = self._tools.records.get(ref.kind, ref.scope, ref.name).arn
            self._tools.records.tag(arn, {FAULT_TAG: strike.rule})
        return strike
