"""The job's record: where its life is kept between steps, and what Describe tells of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from emulator.call import Scope
from emulator.jobs.lifecycle import TERMINAL, Cause, Job, Phase
from emulator.store.records import Record

REASON_LIMIT = 1024
"""Characters of a FailureReason."""


@dataclass(frozen=True)
class JobRef:
    """Which job: its kind, scope and name."""

    kind: str
    scope: Scope
    name: str


@dataclass(frozen=True)
class News:
    """What a phase found out: members of Describe, and what the house must remember."""

    members: Mapping[str, Any] = field(default_factory=dict)
    hidden: Mapping[str, Any] = field(default_factory=dict)


NOTHING = News()


class Face(Protocol):
    """How a kind of job shows its life to clients."""

    def __call__(self, body: Mapping[str, Any], before: Job, after: Job, now: float) -> dict[str, Any]:
        """The members of Describe that a step changes."""
        ...


def reference(record: Record) -> JobRef:
    """Which job a record is of."""
    return JobRef(record.kind, record.scope, record.key)


def job_of(record: Record) -> Job:
    """The life as the record keeps it."""
    kept = record.hidden["life"]
    return Job(Phase[kept["phase"]], Cause[kept["cause"]], kept["failure"], kept.get("retries", 0))


def hidden_life(job: Job) -> dict[str, Any]:
    """The life as JSON."""
    return {"phase": job.phase.name, "cause": job.cause.name, "failure": job.failure, "retries": job.retries}


def settled(record: Record) -> bool:
    """Whether the job is over."""
    return job_of(record).phase in TERMINAL


def status(job: Job) -> str:
    """The primary status, the same words for all kinds of jobs."""
    if job.phase in TERMINAL:
        return job.phase.value.capitalize()
    return "InProgress" if job.cause in (Cause.NONE, Cause.INTERRUPT) else "Stopping"


def written(record: Record, face: Face, after: Job, news: News, now: float) -> Record:
    """The record after a step."""
    before = job_of(record)
    body = {**record.body, **news.members}
    hidden = {**record.hidden, **news.hidden, "life": hidden_life(after)}
    if after.phase is Phase.LAUNCHING is not before.phase and hidden.get("max_run"):
        hidden["run_until"] = now + hidden["max_run"]
    body |= face(body, before, after, now)
    if after.phase is Phase.FAILED:
        body["FailureReason"] = after.failure[:REASON_LIMIT]
    return replace(record, body=body, status=status(after), hidden=hidden)
