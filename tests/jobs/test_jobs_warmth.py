"""Warm pools: kept, taken over, ended; over restarts too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.jobs.recipes.program import ProgramRun
from emulator.jobs.warmth import CACHE, WarmPools
from tests.jobs.conftest import SCOPE

WARM = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, "KeepAlivePeriodInSeconds": 60}


def train(mini: Any, name: str, code: int = 0, **members: Any) -> Any:
    mini.submit(name, **{"ResourceConfig": WARM, **members})
    program = mini.executor.next()
    program.end(code)
    assert mini.engine.idle(5)
    return program


def cache(program: Any) -> Any:
    return next((mount.outside for mount in program.spec.mounts if mount.inside == CACHE), None)


def status(mini: Any, name: str) -> Any:
    return mini.body(name).get("WarmPoolStatus")


def test_a_pool_waits_for_the_next_job_of_its_kind_which_finds_the_cache(mini: Any) -> None:
    mini.executor.script = lambda program: (cache(program) / "kept").write_text("by a")
    train(mini, "a")
    assert status(mini, "a") == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 0}
    mini.clock.advance(20)
    mini.executor.script = lambda program: None
    second = train(mini, "b")
    assert (cache(second) / "kept").read_text() == "by a"
    assert status(mini, "a") == {
        "Status": "Reused",
        "ResourceRetainedBillableTimeInSeconds": 20,
        "ReusedByJob": "b",
    }
    assert status(mini, "b")["Status"] == "Available"


def test_a_pool_in_use_says_so_and_is_nobody_elses(mini: Any) -> None:
    mini.submit("a", ResourceConfig=WARM)
    first = mini.executor.next()
    assert status(mini, "a") == {"Status": "InUse"}
    mini.submit("b", ResourceConfig=WARM)
    second = mini.executor.next()
    assert cache(first) != cache(second)


@pytest.mark.parametrize(
    "other",
    [
        {"RoleArn": "arn:aws:iam::1:role/other"},
        {"ResourceConfig": {**WARM, "InstanceType": "ml.m5.xlarge"}},
        {"EnableNetworkIsolation": True},
    ],
)
def test_a_job_of_another_kind_does_not_get_it(mini: Any, other: dict[str, Any]) -> None:
    first = train(mini, "a")
    second = train(mini, "b", **other)
    assert cache(first) != cache(second)
    assert status(mini, "a")["Status"] == "Available"


def test_the_period_ends(mini: Any) -> None:
    pool = cache(train(mini, "a"))
    mini.clock.advance(59)
    assert pool.is_dir()
    mini.clock.advance(1)
    assert status(mini, "a") == {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 60}
    assert not pool.parent.exists()


def test_a_job_without_a_period_takes_a_pool_over_and_ends_it(mini: Any) -> None:
    pool = cache(train(mini, "a"))
    plain = {k: v for k, v in WARM.items() if k != "KeepAlivePeriodInSeconds"}
    assert cache(train(mini, "b", ResourceConfig=plain)) == pool
    assert status(mini, "a")["Status"] == "Reused"
    assert status(mini, "b")["Status"] == "Terminated"
    assert not pool.parent.exists()


def test_a_job_that_is_deleted_as_soon_as_it_is_over_leaves_none(mini: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    change = mini.records.change

    def changed(kind: str, scope: Any, key: str, edit: Any) -> Any:
        record = change(kind, scope, key, edit)
        if record.status == "Completed":
            del mini.records.records[kind, scope, key]
        return record

    monkeypatch.setattr(mini.records, "change", changed)
    pool = cache(train(mini, "a"))
    assert not pool.parent.exists()


def test_a_failed_job_leaves_none(mini: Any) -> None:
    pool = cache(train(mini, "a", code=1))
    assert status(mini, "a")["Status"] == "Terminated"
    assert not pool.parent.exists()


def test_a_job_that_asks_for_none_has_none(mini: Any) -> None:
    plain = {k: v for k, v in WARM.items() if k != "KeepAlivePeriodInSeconds"}
    assert cache(train(mini, "a", ResourceConfig=plain)) is None
    assert status(mini, "a") is None


def test_a_pool_that_was_asked_for_while_the_job_ran_is_kept(mini: Any) -> None:
    plain = {k: v for k, v in WARM.items() if k != "KeepAlivePeriodInSeconds"}
    mini.submit("a", ResourceConfig=plain)
    program = mini.executor.next()
    mini.records.change("TrainingJob", SCOPE, "a", lambda r: replace(r, body={**r.body, "ResourceConfig": WARM}))
    program.end()
    assert mini.engine.idle(5)
    assert status(mini, "a")["Status"] == "Available"
    assert cache(train(mini, "b")) is not None
    assert status(mini, "a")["Status"] == "Reused"


def test_a_pool_can_be_kept_longer_and_be_ended_at_once(mini: Any) -> None:
    pool = cache(train(mini, "a"))
    record = mini.records.get("TrainingJob", SCOPE, "a")
    assert mini.engine.keep_warm(record, 600)
    mini.clock.advance(300)
    assert status(mini, "a")["Status"] == "Available"
    assert mini.engine.keep_warm(record, 0)
    assert status(mini, "a")["Status"] == "Terminated"
    assert not mini.engine.keep_warm(record, 60)
    assert not pool.exists()


def test_a_pool_that_was_taken_over_at_once_is_not_left_again(mini: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    late, leave = [], WarmPools.leave
    monkeypatch.setattr(WarmPools, "leave", lambda pools, record: late.append((pools, record)))
    pool = cache(train(mini, "a"))
    monkeypatch.undo()
    mini.submit("b", ResourceConfig=WARM)
    assert cache(mini.executor.next()) == pool
    leave(*late.pop())
    assert status(mini, "a")["Status"] == "Reused"
    assert [found.name for found in pool.parent.parent.glob("pool-*")] == [pool.parent.name]


@pytest.mark.parametrize("again", [False, True], ids=["gone", "name-used-again"])
def test_a_job_that_is_deleted_as_soon_as_it_is_over_leaves_no_pool(
    mini: Any, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    release = ProgramRun.release

    def deleted_meanwhile(run: ProgramRun) -> None:
        release(run)
        monkeypatch.setattr(ProgramRun, "release", release)
        del mini.records.records[("TrainingJob", SCOPE, "a")]
        if again:
            mini.submit("a", ResourceConfig={**WARM, "InstanceType": "ml.m5.xlarge"}, run_id="job-second")

    monkeypatch.setattr(ProgramRun, "release", deleted_meanwhile)
    mini.submit("a", ResourceConfig=WARM)
    first = mini.executor.next()
    first.end()
    if again:
        second = mini.executor.next()
        second.end()
        assert cache(second) != cache(first)
    assert mini.engine.idle(5)
    assert not cache(first).parent.exists()
    assert not again or status(mini, "a")["Status"] == "Available"


def test_a_pool_survives_a_restart_and_still_ends(mini: Any) -> None:
    pool = cache(train(mini, "a"))
    mini.kill()
    mini.start().recover()
    assert status(mini, "a")["Status"] == "Available"
    assert cache(train(mini, "b")) == pool
    mini.clock.advance(61)
    assert status(mini, "b")["Status"] == "Terminated"


def test_a_pool_is_the_next_one_s_as_soon_as_its_job_completed(mini: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeing a container takes a moment, in which a quick client sees the job completed and begins the next."""
    monkeypatch.setattr(WarmPools, "leave", lambda self, record: None)
    mini.executor.script = lambda program: (cache(program) / "kept").write_text("by a")
    train(mini, "a")
    mini.executor.script = lambda program: None
    assert (cache(train(mini, "b")) / "kept").read_text() == "by a"
    assert status(mini, "a")["Status"] == "Reused"


@pytest.mark.parametrize(("code", "told"), [(0, "Available"), (1, "Terminated")], ids=["completed", "failed"])
def test_who_sees_a_job_over_sees_what_became_of_its_pool(
    mini: Any, monkeypatch: pytest.MonkeyPatch, code, told
) -> None:
    monkeypatch.setattr(WarmPools, "leave", lambda self, record: None)  # freeing a container takes a moment
    train(mini, "a", code=code)
    assert status(mini, "a") == {"Status": told, "ResourceRetainedBillableTimeInSeconds": 0}


def test_a_pool_that_was_handed_on_or_ended_at_once_is_not_made_again(mini: Any) -> None:
    pools = mini.engine._tools.pools
    for name, end in (("a", lambda record: pools.enter(next_of(mini, record))), ("b", lambda r: pools.keep(r, 0))):
        record = mini.accept(name, {}, ResourceConfig=WARM, RoleArn=name)
        pools.enter(record)
        over = replace(record, status="Completed", body={**record.body, "WarmPoolStatus": {"Status": "InUse"}})
        mini.records.records[over.kind, over.scope, over.key] = over
        end(over)
        before = set(pools._all())
        pools.leave(over)
        assert set(pools._all()) == before
    assert [status(mini, name)["Status"] for name in "ab"] == ["Reused", "Terminated"]


def next_of(mini: Any, record: Any) -> Any:
    """Another job of the same kind."""
    return mini.accept(f"{record.key}-next", {}, ResourceConfig=WARM, RoleArn=record.key)
