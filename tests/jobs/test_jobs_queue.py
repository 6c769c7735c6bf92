"""Jobs that wait: in order, without threads, visibly; stopped, given up, restarted while they wait."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from emulator.call import Scope
from emulator.ports import ExitReason

SCOPE = Scope("123456789012", "eu-west-1")
GPU = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}


def again(mini: Any, **settings: Any) -> None:
    """A new engine with other settings."""
    mini.kill()
    mini.settings = replace(mini.settings, machine_cpus=2.0, machine_memory=8.0, **settings)
    mini.start()


def hosts(count: int) -> dict[str, Any]:
    return {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1}}


def statuses(body: dict[str, Any]) -> list[str]:
    return [t["Status"] for t in body["SecondaryStatusTransitions"]]


def running(mini: Any) -> list[str]:
    return sorted(run.removeprefix("job-").removesuffix("-algo-1") for run in mini.executor.programs)


def until(condition: Any) -> None:
    for _ in range(5000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it did not come to pass within 5 s")


def job_threads() -> int:
    return sum(thread.name.startswith("job:") for thread in threading.enumerate())


def test_two_hundred_jobs_run_in_order_and_all_finish(mini: Any) -> None:
    again(mini, max_jobs=1)
    names = [f"j{number:03}" for number in range(200)]
    gate, most = threading.Event(), []

    def script(program: Any) -> None:
        gate.wait(5)
        most.append(job_threads())
        program.end(0)

    mini.executor.script = script
    for name in names:
        mini.submit(name)
    assert job_threads() == 1
    gate.set()
    assert mini.engine.idle(60)
    assert [key for key, phase in mini.records.history if phase == "PREPARING"] == names
    assert {mini.body(name)["TrainingJobStatus"] for name in names} == {"Completed"}
    assert max(most) <= 2  # the thread of the next job starts while the one before it ends


def test_two_hundred_jobs_share_the_machine(mini: Any) -> None:
    again(mini, max_jobs=0)
    lock, now, most = threading.Lock(), set(), []

    def script(program: Any) -> None:
        with lock:
            now.add(program.spec.run_id)
            most.append(len(now))
        threading.Event().wait(0.001)
        with lock:
            now.discard(program.spec.run_id)
        program.end(0)

    mini.executor.script = script
    for number in range(200):
        mini.submit(f"j{number:03}")
    assert mini.engine.idle(60)
    assert 1 < max(most) <= 4
    started = [key for key, phase in mini.records.history if phase == "PREPARING"]
    assert all(abs(place - int(key[1:])) < 4 for place, key in enumerate(started))


def test_a_job_that_waits_says_so(mini: Any) -> None:
    again(mini, max_jobs=1)
    mini.submit("first")
    mini.executor.next()
    mini.submit("job")
    body = mini.body()
    assert (body["TrainingJobStatus"], body["SecondaryStatus"]) == ("InProgress", "Pending")
    assert body["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job waiting for capacity"
    assert "TrainingStartTime" not in body
    mini.executor.script = lambda program: program.end(0)
    mini.executor.programs["job-first-algo-1"].end(0)
    body = mini.finish()
    assert statuses(body) == ["Starting", "Pending", "Downloading", "Training", "Uploading", "Completed"]
    assert "Pending" not in statuses(mini.body("first"))


def test_a_large_job_is_not_starved_by_small_ones(mini: Any) -> None:
    again(mini, max_jobs=0)
    mini.submit("a")
    mini.submit("b")
    mini.executor.next()
    mini.executor.next()
    mini.submit("large", **hosts(4))
    mini.submit("small")
    assert running(mini) == ["a", "b"]
    mini.executor.programs["job-a-algo-1"].end()
    until(lambda: mini.body("a")["TrainingJobStatus"] == "Completed")
    assert (mini.body("large")["SecondaryStatus"], mini.body("small")["SecondaryStatus"]) == ("Pending", "Pending")
    mini.executor.programs["job-b-algo-1"].end()
    until(lambda: mini.body("large")["SecondaryStatus"] != "Pending")
    assert mini.body("small")["SecondaryStatus"] == "Pending"
    mini.executor.script = lambda program: program.end(0)
    for program in list(mini.executor.programs.values()):
        program.end()
    assert mini.engine.idle(5)
    assert mini.body("small")["TrainingJobStatus"] == "Completed"


def test_a_job_larger_than_the_machine_runs_alone(mini: Any) -> None:
    again(mini, max_jobs=0, host_memory=64.0)
    mini.submit("small")
    mini.executor.next()
    mini.submit("huge", ResourceConfig={"InstanceType": "ml.m5.24xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1})
    assert mini.body("huge")["SecondaryStatus"] == "Pending"
    mini.executor.programs["job-small-algo-1"].end()
    mini.executor.next()
    mini.submit("late")
    assert mini.body("late")["SecondaryStatus"] == "Pending"


def test_a_job_that_waits_can_be_stopped(mini: Any) -> None:
    again(mini, max_jobs=1)
    mini.submit("first")
    mini.executor.next()
    mini.submit("job")
    mini.stop()
    body = mini.body()
    assert statuses(body) == ["Starting", "Pending", "Stopped"]
    assert "TrainingStartTime" not in body and "TrainingEndTime" not in body
    mini.submit("last")
    mini.executor.programs["job-first-algo-1"].end()
    mini.executor.next()
    assert running(mini) == ["first", "last"]


def test_max_pending_time_counts_for_accelerated_types_alone(mini: Any) -> None:
    again(mini, max_jobs=1)
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxPendingTimeInSeconds": 7200}}
    mini.submit("first")
    mini.executor.next()
    mini.submit("job", ResourceConfig=GPU, **limit)
    mini.submit("cpu", **limit)
    mini.clock.advance(7199)
    assert mini.body()["SecondaryStatus"] == "Pending"
    mini.clock.advance(2)
    body = mini.body()
    assert (body["TrainingJobStatus"], body["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert "MaxPendingTimeInSeconds" in body["SecondaryStatusTransitions"][-1]["StatusMessage"]
    assert mini.body("cpu")["SecondaryStatus"] == "Pending"


def test_max_pending_time_does_not_end_a_job_that_runs(mini: Any) -> None:
    again(mini, max_jobs=1)
    mini.submit("first")
    first = mini.executor.next()
    mini.submit("job", ResourceConfig=GPU, StoppingCondition={"MaxPendingTimeInSeconds": 7200})
    first.end()
    program = mini.executor.next()
    mini.clock.advance(8000)
    program.end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"


def test_a_restart_keeps_the_order_and_the_wait(mini: Any) -> None:
    again(mini, max_jobs=1)
    mini.submit("first")
    mini.executor.next()
    names = ["z", "m", "a", "k"]
    for name in names:
        mini.clock.advance(0.01)
        mini.submit(name)
    mini.kill()
    mini.records.records = dict(reversed(mini.records.records.items()))
    mini.start().recover()
    assert {mini.body(name)["SecondaryStatus"] for name in names} == {"Pending"}
    assert all(statuses(mini.body(name)) == ["Starting", "Pending"] for name in names)
    mini.executor.script = lambda program: program.end(0)
    mini.executor.programs["job-first-algo-1"].end()
    assert mini.engine.idle(10)
    assert [key for key, phase in mini.records.history if phase == "PREPARING"] == ["first", *names]


def test_what_is_adopted_takes_its_room(mini: Any) -> None:
    again(mini, max_jobs=1)
    mini.submit("first")
    mini.executor.next()
    mini.clock.advance(1)
    mini.accept("job", {})
    mini.kill()
    mini.start().recover()
    assert mini.body()["SecondaryStatus"] == "Pending"
    assert running(mini) == ["first"]


@pytest.mark.parametrize("others", [0, 1])
def test_a_job_that_begins_again_gives_way_to_those_that_wait(mini: Any, others: int) -> None:
    again(mini, max_jobs=1)
    mini.engine.submit(mini.accept("job", {"life": {"phase": "QUEUED", "cause": "NONE", "failure": "", "retries": 1}}))
    program = mini.executor.next()
    for number in range(others):
        mini.submit(f"other{number}")
    ends = []
    mini.executor.script = lambda program: (ends.append(program.spec.run_id), program.end(0))
    program.end(reason=ExitReason.LOST)
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Completed"
    assert [run.split("-")[1] for run in ends] == [f"other{number}" for number in range(others)] + ["job"]
    assert ("Pending" in statuses(body)) == bool(others)


def test_a_job_that_was_stopped_before_it_was_lined_up_leaves_nothing(mini: Any) -> None:
    record = mini.accept("job", {})
    mini.stop()
    mini.engine.submit(record)
    assert mini.engine.idle(5)
    assert mini.body()["TrainingJobStatus"] == "Stopped"
    assert not mini.executor.programs


def test_a_job_that_was_stopped_while_it_retreated_is_released(mini: Any) -> None:
    mini.accept("job", {"life": {"phase": "RETREATING", "cause": "STOP", "failure": ""}})
    mini.kill()
    left = mini.settings.data_dir / "work/job-job/left"
    left.mkdir(parents=True)
    seen = []
    mini.start()
    carry_out = mini.engine._perform
    mini.engine._perform = lambda worker, effect: (seen.append(type(effect).__name__), carry_out(worker, effect))
    mini.engine.recover()
    assert mini.engine.idle(5)
    assert mini.body()["TrainingJobStatus"] == "Stopped"
    assert seen == ["Retreat", "Release"]
    assert not left.exists()
