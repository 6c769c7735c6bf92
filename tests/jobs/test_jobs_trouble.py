"""Jobs that go wrong on purpose: without capacity, instead of running, after a while, interrupted; or that do not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from emulator.jobs.lifecycle import Job
from emulator.jobs.record import hidden_life
from emulator.jobs.trouble import CAPACITY
from emulator.ports import ExitReason
from emulator.trouble import made
from tests.jobs.conftest import SCOPE


def strike(mini: Any, kind: str, **members: Any) -> str:
    rule: str = mini.trouble.add(made({"kind": kind, **members}))["id"]
    return rule


def armed(mini: Any, timers: int = 1) -> None:
    """Wait until the job that runs has its timers: the program starts a moment before."""
    deadline = time.monotonic() + 5
    while len(mini.clock._due) < timers:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def words(body: dict[str, Any]) -> list[str]:
    return [transition["Status"] for transition in body["SecondaryStatusTransitions"]]


def test_a_job_for_which_there_is_no_instance(mini: Any) -> None:
    rule = strike(mini, "capacity", name="job")
    mini.submit()
    body = mini.finish()
    assert (body["TrainingJobStatus"], body["FailureReason"]) == ("Failed", CAPACITY)
    assert words(body) == ["Starting", "Failed"]
    assert not mini.executor.programs
    assert mini.records.tags[mini.records.get("TrainingJob", SCOPE, "job").arn] == {"sagelet:fault": rule}


def test_a_job_that_fails_instead_of_running(mini: Any) -> None:
    strike(mini, "job-failure", reason="AlgorithmError: diverged, exit code: 1")
    mini.submit()
    body = mini.finish()
    assert (body["TrainingJobStatus"], body["FailureReason"]) == ("Failed", "AlgorithmError: diverged, exit code: 1")
    assert words(body) == ["Starting", "Downloading", "Training", "Failed"]
    assert not mini.executor.programs


def test_a_job_that_fails_after_it_has_run_for_a_while_keeps_what_it_has(mini: Any) -> None:
    strike(mini, "job-failure", reason="AlgorithmError: diverged", seconds=60)
    mini.submit()
    program = mini.executor.next()
    (program.ml / "output" / "data").mkdir(parents=True, exist_ok=True)
    (program.ml / "output" / "data" / "half.txt").write_text("half")
    armed(mini)
    mini.clock.advance(59)
    assert not program.stops
    mini.clock.advance(1)
    body = mini.finish()
    assert program.stops and program.released
    assert (body["TrainingJobStatus"], body["FailureReason"]) == ("Failed", "AlgorithmError: diverged")
    assert mini.storage.keys("b", "out/job/output/output.tar.gz")


def test_a_job_that_ends_before_is_not_struck(mini: Any) -> None:
    strike(mini, "job-failure", reason="AlgorithmError: diverged", seconds=60)
    mini.submit()
    program = mini.executor.next()
    armed(mini)
    program.end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"
    mini.clock.advance(100)
    assert mini.body()["TrainingJobStatus"] == "Completed"


def test_an_internal_error_on_purpose_is_answered_by_the_retry_strategy(mini: Any) -> None:
    strike(mini, "job-failure", reason="InternalServerError: on purpose", times=1)
    record = mini.accept("job", {"life": hidden_life(Job(retries=1))})
    mini.engine.submit(record)
    mini.executor.next().end()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Completed" and words(body).count("Starting") == 2


def test_a_failure_that_is_to_come_survives_a_restart(mini: Any) -> None:
    strike(mini, "job-failure", reason="AlgorithmError: diverged", seconds=60, times=1)
    mini.submit()
    program = mini.executor.next()
    armed(mini)
    mini.kill()
    mini.start().recover()
    mini.clock.advance(60)
    body = mini.finish()
    assert program.stops and body["FailureReason"] == "AlgorithmError: diverged"


def test_a_failure_is_not_inherited_by_the_next_attempt(mini: Any) -> None:
    strike(mini, "job-failure", reason="AlgorithmError: diverged", seconds=60, times=1)
    strike(mini, "spot-interruption", seconds=10)
    mini.submit(EnableManagedSpotTraining=True)
    mini.executor.next()
    armed(mini, 2)
    mini.clock.advance(10)
    second = mini.executor.next()
    mini.clock.advance(100)
    assert not second.stops


def test_a_spot_job_is_interrupted_once_by_a_rule(mini: Any) -> None:
    strike(mini, "spot-interruption", seconds=10, name="jo*")
    mini.submit(EnableManagedSpotTraining=True)
    first = mini.executor.next()
    armed(mini)
    mini.clock.advance(10)
    second = mini.executor.next()
    mini.clock.advance(1000)
    assert first.stops and not second.stops
    second.end()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Completed" and "Interrupted" in words(body)


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "other*"},
        {"operation": "CreateTransformJob"},
        {"account": "999988887777"},
        {"region": "us-*"},
        {"service": "s3"},
        {"probability": 0.0},
    ],
)
def test_who_is_not_meant_is_left_alone(mini: Any, rule: dict[str, Any]) -> None:
    for kind, members in (("capacity", {}), ("job-failure", {"reason": "x"}), ("spot-interruption", {})):
        strike(mini, kind, **members, **rule)
    mini.submit(EnableManagedSpotTraining=True)
    program = mini.executor.next()
    assert not program.stops
    program.end(0, ExitReason.EXITED)
    assert mini.finish()["TrainingJobStatus"] == "Completed"
    assert not any("sagelet:fault" in tags for tags in mini.records.tags.values())


def test_a_rule_strikes_so_many_jobs_and_no_more(mini: Any) -> None:
    strike(mini, "capacity", times=2)
    for number in range(3):
        mini.submit(f"job-{number}")
    mini.executor.next().end()
    assert mini.engine.idle(5)
    statuses = [mini.body(f"job-{number}")["TrainingJobStatus"] for number in range(3)]
    assert sorted(statuses) == ["Completed", "Failed", "Failed"]
    assert [(rule["seen"], rule["hits"]) for rule in mini.trouble.all()] == [(2, 2)]
