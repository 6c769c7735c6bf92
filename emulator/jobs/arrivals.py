"""What becomes of the record of a job that comes from another house: its program has stayed behind. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from emulator.jobs import lifecycle as life
from emulator.jobs.recipes import RECIPES, load
from emulator.jobs.record import NOTHING, job_of, settled, written
from emulator.jobs.transitions import step
from emulator.store.records import Record

_RUN = re.compile(r"job-[a-z0-9]{1,64}")
"""A run names folders: what comes from elsewhere must not name others."""


def arrived(record: Record, reason: str, now: float) -> Record:
    """A job that was under way has failed for that reason; one that was being stopped before it ran has stopped.
    `ValueError` for a record that is none of a job of ours."""
    if not _RUN.fullmatch(str(record.hidden.get("run_id", ""))):
        raise ValueError(f"the job {record.key} has no run")
    if settled(record):
        return replace(record, body=_without_pool(record.body))
    after, _ = step(replace(job_of(record), retries=0), life.Broke(reason))
    face = next(load(face) for _, kind, _, face in RECIPES if kind == record.kind)
    found = written(record, face, after, NOTHING, now)
    return replace(found, body=_without_pool(found.body))


def _without_pool(body: Any) -> dict[str, Any]:
    """Warm pools are folders, and stay behind, too."""
    pool = body.get("WarmPoolStatus") or {}
    return {**body, "WarmPoolStatus": {**pool, "Status": "Terminated"}} if _is_warm(pool) else dict(body)


def _is_warm(pool: Any) -> bool:
    return pool.get("Status") in ("Available", "InUse")
