"""Warm pools: what a finished training job leaves for the next one of its kind, for KeepAlivePeriodInSeconds.

Kept is the persistent cache that programs see at /opt/ml/sagemaker/warmpoolcache, where script mode also keeps the
environment that it installed. A pool is a folder with `pool.json`, so that it outlives the server.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator import ids
from emulator.call import Extent, Scope
from emulator.clock import Clock
from emulator.store.records import Record

if TYPE_CHECKING:
    from emulator.jobs.recipes.recipe import Records

KIND = "TrainingJob"
CACHE = "/opt/ml/sagemaker/warmpoolcache"
PREFIX = "pool-"
LONGEST = 3600
"""KeepAlivePeriodInSeconds at the most (API_ResourceConfig)."""


@dataclass(frozen=True)
class Pool:
    """One pool. `job` is who has it, or had it last, and `run` that job's run: names are given again after a deletion.

    `until` is when it ends, 0 while a job has it.
    """

    name: str
    key: str
    account: str
    region: str
    job: str
    run: str
    until: float = 0.0


def key_of(body: Mapping[str, Any]) -> str:
    """What must be equal for a job to take over the pool of another (train-warm-pools, "Matching training jobs")."""
    resources = {k: v for k, v in body["ResourceConfig"].items() if k != "KeepAlivePeriodInSeconds"}
    parts = [
        body.get("RoleArn"),
        resources,
        body["AlgorithmSpecification"].get("TrainingImage"),
        body["AlgorithmSpecification"].get("AlgorithmName"),
        body.get("VpcConfig"),
        bool(body.get("EnableInterContainerTrafficEncryption")),
        bool(body.get("EnableNetworkIsolation")),
    ]
    return json.dumps(parts, sort_keys=True)


def period(body: Mapping[str, Any]) -> int:
    """For how long a job asks its pool to be kept; 0: not at all."""
    return int(body["ResourceConfig"].get("KeepAlivePeriodInSeconds") or 0)


class WarmPools:
    """The pools of one house. Thread safe."""

    def __init__(self, data_dir: Path, clock: Clock, records: Records) -> None:
        self._work = data_dir / "work"
        self._clock = clock
        self._records = records
        self._lock = threading.RLock()
        self._cancels: dict[str, Callable[[], None]] = {}

    def enter(self, record: Record) -> Pool | None:
        """The pool of a job that begins: a matching one that waits, or a new one; None when it asks for none."""
        key = key_of(record.body)
        with self._lock:
            mine = self._find(lambda p: p.run == _run(record) and not p.until)
            waiting = self._find(lambda p: _of(p, record) and p.key == key and self._left(p))
            if mine is None and waiting is not None:
                mine = replace(waiting, job=record.key, run=_run(record), until=0.0)
                self._disarm(waiting)
                self._status(waiting, "Reused", ReusedByJob=record.key)
            if mine is None and period(record.body):
                mine = _new(record)
            if mine is not None:
                self._write(mine)
            return mine

    def cache(self, pool: Pool) -> Path:
        """The folder that programs see as CACHE."""
        return self._work / pool.name / "cache"

    def leave(self, record: Record) -> None:
        """A job is over: its pool waits for the next one if the job completed and asked for that, and ends if not.

        So does the pool of one that was deleted as soon as it was over.
        """
        with self._lock:
            mine = self._find(lambda p: p.run == _run(record) and not p.until)
            latest = self._last(record.scope, record.key, _run(record))
            seconds = period(latest.body) if latest is not None and latest.status == "Completed" else 0
            # One that was handed on or ended in the moment of the job's completion is not made again.
            if mine is None and latest is not None and seconds and "WarmPoolStatus" not in latest.body:
                mine = _new(latest)  # it was asked for while the job ran (UpdateTrainingJob)
            if mine is None:
                return
            if seconds:
                self._wait(replace(mine, until=self._clock.now() + seconds))
            else:
                self._end(mine)

    def keep(self, record: Record, seconds: int) -> bool:
        """Let the pool that a finished job has left wait that long from now on; False when there is none."""
        with self._lock:
            mine = self._find(lambda p: p.run == _run(record) and self._left(p))
            if mine is None:
                return False
            self._disarm(mine)
            if seconds:
                self._wait(replace(mine, until=self._clock.now() + seconds))
            else:
                self._end(mine)
            return True

    def recover(self, busy: frozenset[str]) -> None:
        """After a start: go on counting; pools of runs that are not under way (`busy`) any more end."""
        with self._lock:
            for pool in self._all():
                if pool.until:
                    self._arm(pool)
                elif pool.run not in busy:
                    self._end(pool)

    def forget(self, extent: Extent) -> None:
        """End the pools of a part of the house without a trace."""
        with self._lock:
            for pool in self._all():
                if extent.covers(Scope(pool.account, pool.region)):
                    self._disarm(pool)
                    shutil.rmtree(self._work / pool.name, ignore_errors=True)

    def close(self) -> None:
        """Stop counting; the pools stay for the next start."""
        with self._lock:
            for cancel in self._cancels.values():
                cancel()
            self._cancels.clear()

    # --- inside -------------------------------------------------------------------------------------------------

    def _wait(self, pool: Pool) -> None:
        self._write(pool)
        self._status(pool, "Available")
        self._arm(pool)

    def _end(self, pool: Pool) -> None:
        shutil.rmtree(self._work / pool.name, ignore_errors=True)
        self._status(pool, "Terminated")

    def _arm(self, pool: Pool) -> None:
        self._cancels[pool.name] = self._clock.call_at(pool.until, lambda: self._expire(pool.name))

    def _disarm(self, pool: Pool) -> None:
        cancel = self._cancels.pop(pool.name, None)
        if cancel is not None:
            cancel()

    def _expire(self, name: str) -> None:
        with self._lock:
            self._cancels.pop(name, None)
            pool = self._find(lambda p: p.name == name and 0 < p.until <= self._clock.now())
            if pool is not None:
                self._end(pool)

    def _status(self, pool: Pool, word: str, **more: str) -> None:
        """WarmPoolStatus of the job that left the pool, or has it; a job that was deleted has none."""
        scope, now = Scope(pool.account, pool.region), self._clock.now()
        if self._last(scope, pool.job, pool.run) is None:
            return

        def edit(current: Record) -> Record:
            end = current.body.get("TrainingEndTime") or now
            status = {"Status": word, "ResourceRetainedBillableTimeInSeconds": max(0, int(now - end)), **more}
            return replace(current, body={**current.body, "WarmPoolStatus": status})

        self._records.change(KIND, scope, pool.job, edit)

    def _left(self, pool: Pool) -> bool:
        """Whether it waits, or is about to: who sees a job completed may begin the next before the first has left."""
        if pool.until:
            return pool.until > self._clock.now()
        last = self._last(Scope(pool.account, pool.region), pool.job, pool.run)
        return last is not None and last.status == "Completed" and period(last.body) > 0

    def _last(self, scope: Scope, job: str, run: str) -> Record | None:
        """The record of the job that had a run; None when it was deleted, though another may have its name now."""
        record = self._records.find(KIND, scope, job)
        return record if record is not None and _run(record) == run else None

    def _find(self, fits: Callable[[Pool], bool]) -> Pool | None:
        return next((pool for pool in self._all() if fits(pool)), None)

    def _all(self) -> list[Pool]:
        found = []
        for file in sorted(self._work.glob(f"{PREFIX}*/pool.json")):
            found.append(Pool(**json.loads(file.read_text(encoding="utf-8"))))
        return found

    def _write(self, pool: Pool) -> None:
        self.cache(pool).mkdir(parents=True, exist_ok=True)
        fresh = self._work / pool.name / "pool.json.new"
        fresh.write_text(json.dumps(asdict(pool)), encoding="utf-8")
        fresh.replace(fresh.with_suffix(""))


def _new(record: Record) -> Pool:
    scope, key = record.scope, key_of(record.body)
    return Pool(f"{PREFIX}{ids.short_id(12)}", key, scope.account, scope.region, record.key, _run(record))


def _run(record: Record) -> str:
    return str(record.hidden["run_id"])


def _of(pool: Pool, record: Record) -> bool:
    return (pool.account, pool.region) == (record.scope.account, record.scope.region)
