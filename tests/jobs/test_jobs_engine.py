"""The engine on a manual clock with scripted programs: phases, stops, deadlines, the pool, restarts at each phase."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from emulator.call import Scope
from emulator.ports import ExitReason

SCOPE = Scope("123456789012", "eu-west-1")


def statuses(body: dict[str, Any]) -> list[str]:
    return [t["Status"] for t in body["SecondaryStatusTransitions"]]


def test_a_job_goes_through_all_phases(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    assert mini.body()["TrainingJobStatus"] == "InProgress"
    assert (program.ml / "input/data/train/train.csv").read_bytes() == b"1,2\n"
    mini.clock.advance(2.5)
    program.end(0)
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Completed"
    assert statuses(body) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert body["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job completed"
    assert all("EndTime" in transition for transition in body["SecondaryStatusTransitions"])
    assert body["TrainingEndTime"] - body["TrainingStartTime"] == 2.5
    assert (body["TrainingTimeInSeconds"], body["BillableTimeInSeconds"]) == (3, 3)
    assert "FailureReason" not in body
    assert program.released == 1
    assert not program.spec.folder.exists()


def test_a_job_that_takes_no_time_is_billed_a_second(mini: Any) -> None:
    mini.executor.script = lambda program: program.end(0)
    mini.submit()
    assert mini.finish()["BillableTimeInSeconds"] == 1


def test_stop_ends_the_program_and_keeps_its_artifacts(mini: Any) -> None:
    mini.executor.stop_ends = False
    mini.submit()
    program = mini.executor.next()
    (program.ml / "model" / "m").write_text("half")
    mini.stop()
    assert mini.body()["TrainingJobStatus"] == "Stopping"
    assert mini.body()["SecondaryStatus"] == "Stopping"
    mini.stop()
    program.end(-15, ExitReason.STOPPED)
    body = mini.finish()
    assert (body["TrainingJobStatus"], body["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert statuses(body)[-3:] == ["Stopping", "Uploading", "Stopped"]
    assert body["ModelArtifacts"]["S3ModelArtifacts"] == "s3://b/out/job/output/model.tar.gz"
    assert program.stops == [120.0]


def test_max_runtime_counts_from_the_start_of_the_program(mini: Any) -> None:
    mini.submit(max_run=60)
    mini.executor.next()
    while mini.records.get("TrainingJob", SCOPE, "job").hidden["life"]["phase"] != "RUNNING":
        threading.Event().wait(0.001)
    mini.clock.advance(59)
    assert mini.body()["TrainingJobStatus"] == "InProgress"
    mini.clock.advance(2)
    body = mini.finish()
    assert (body["TrainingJobStatus"], body["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in body


def test_max_wait_ends_a_job_that_never_got_its_turn(mini: Any) -> None:
    mini.submit("a")
    mini.submit("b")
    first, second = mini.executor.next(), mini.executor.next()
    mini.submit("job", wait_until=mini.clock.now() + 10)
    mini.clock.advance(11)
    assert mini.body()["SecondaryStatus"] == "MaxWaitTimeExceeded"
    assert "TrainingStartTime" not in mini.body()
    for program in (first, second):
        program.end()
    for program in mini.executor.programs.values():
        program.end()
    assert mini.engine.idle(5)


def test_no_more_than_max_jobs_run_at_once_and_the_rest_follow_in_order(mini: Any) -> None:
    for name in "abcd":
        mini.submit(name)
    mini.executor.next()
    mini.executor.next()
    assert sorted(mini.executor.programs) == ["job-a-algo-1", "job-b-algo-1"]
    assert mini.body("c")["SecondaryStatus"] == "Pending"
    mini.stop("c")
    assert mini.body("c")["TrainingJobStatus"] == "Stopped"
    mini.executor.programs["job-a-algo-1"].end()
    mini.executor.next()
    assert sorted(mini.executor.programs) == ["job-a-algo-1", "job-b-algo-1", "job-d-algo-1"]
    for program in mini.executor.programs.values():
        program.end()
    assert mini.engine.idle(5)
    assert mini.body("d")["TrainingJobStatus"] == "Completed"


def test_threads_are_named_and_end_with_their_jobs(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    [thread] = [t for t in threading.enumerate() if t.name.startswith("job:")]
    assert thread.name == "job:job"
    program.end()
    mini.finish()
    thread.join(5)  # it lets the next job begin after its own is over
    assert not thread.is_alive()


def test_a_full_disk_fails_the_job_with_the_reason(mini: Any) -> None:
    mini.storage.full = True
    mini.submit()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert "No space left on device" in body["FailureReason"]


def test_a_full_disk_at_the_upload_fails_the_job(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    (program.ml / "model" / "m").write_text("m")
    mini.storage.full = True
    program.end()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert "No space left on device" in body["FailureReason"]
    assert "ModelArtifacts" not in body


def test_a_step_that_the_store_cannot_write_is_tried_again(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    mini.records.refuse = 1
    program.end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"


# --- restarts ---------------------------------------------------------------------------------------------------


def test_restart_of_a_job_that_waited(mini: Any) -> None:
    mini.accept("job", {})
    mini.kill()
    mini.executor.script = lambda program: program.end(0)
    mini.start().recover()
    assert mini.finish()["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize("phase", ["PREPARING", "LAUNCHING"])
def test_restart_before_the_program_ran_begins_again(mini: Any, phase: str) -> None:
    mini.accept("job", {"life": {"phase": phase, "cause": "NONE", "failure": ""}})
    folder = mini.settings.data_dir / "work/job-job/ml/input/data/train"
    folder.mkdir(parents=True)
    (folder / "half-a-file").write_text("x")
    mini.kill()
    mini.start().recover()
    program = mini.executor.next()
    assert [p.name for p in (program.ml / "input/data/train").iterdir()] == ["train.csv"]
    program.end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"


def test_restart_adopts_a_program_that_still_runs(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    mini.kill()
    assert mini.body()["TrainingJobStatus"] == "InProgress"
    mini.start().recover()
    (program.ml / "model" / "m").write_text("m")
    program.end()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Completed"
    assert len(mini.executor.programs) == 1
    assert "ModelArtifacts" in body
    assert program.released == 1


def test_restart_judges_a_program_that_ended_meanwhile(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    mini.kill()
    (program.ml / "output/failure").write_text("ClientError: bad column")
    program.end(1)
    mini.start().recover()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert body["FailureReason"].startswith("ClientError: bad column")


def test_restart_fails_a_job_whose_program_is_gone(mini: Any) -> None:
    mini.accept("job", {"life": {"phase": "RUNNING", "cause": "NONE", "failure": ""}})
    mini.kill()
    mini.start().recover()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert body["FailureReason"].startswith("InternalServerError: ")
    assert "the run is gone" in body["FailureReason"]


def test_restart_goes_on_with_saving(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    mini.kill()
    (program.ml / "model" / "m").write_text("m")
    program.end()
    record = mini.records.get("TrainingJob", SCOPE, "job")
    mini.accept("job", {**record.hidden, "life": {"phase": "SAVING", "cause": "NONE", "failure": ""}})
    mini.start().recover()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Completed"
    assert "out/job/output/model.tar.gz" in mini.storage.keys("b")
    assert program.released == 1


def test_restart_of_a_job_that_was_being_stopped(mini: Any) -> None:
    mini.executor.stop_ends = False
    mini.submit()
    program = mini.executor.next()
    mini.stop()
    mini.kill()
    mini.executor.stop_ends = True
    mini.start().recover()
    assert mini.finish()["TrainingJobStatus"] == "Stopped"
    assert len(program.stops) == 2


def test_restart_keeps_the_deadline(mini: Any) -> None:
    mini.submit(max_run=60)
    mini.executor.next()
    mini.kill()
    mini.clock.advance(61)
    mini.start().recover()
    mini.clock.advance(0)
    assert mini.finish()["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_restart_tidies_up_what_no_job_needs(mini: Any) -> None:
    stale = mini.settings.data_dir / "work/job-old"
    other = mini.settings.data_dir / "work/host-x"
    stale.mkdir(parents=True)
    other.mkdir(parents=True)
    mini.engine.recover()
    assert not stale.exists()
    assert other.exists()


def test_nothing_is_written_after_close(mini: Any) -> None:
    mini.submit()
    program = mini.executor.next()
    mini.kill()
    program.end(-15, ExitReason.STOPPED)
    assert mini.body()["TrainingJobStatus"] == "InProgress"
