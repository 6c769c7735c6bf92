"""Jobs that begin again: interrupted spot jobs with their checkpoints, internal errors with a RetryStrategy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.jobs.lifecycle import Job
from emulator.jobs.record import hidden_life
from emulator.ports import ExitReason


@pytest.fixture
def spot(mini: Any) -> Any:
    """A house that interrupts spot jobs after ten seconds."""
    mini.restart(replace(mini.settings, spot_interrupt=10.0))
    return mini


def words(body: dict[str, Any]) -> list[str]:
    return [transition["Status"] for transition in body["SecondaryStatusTransitions"]]


def test_an_interrupted_spot_job_goes_on_from_its_checkpoints(spot: Any) -> None:
    spot.submit(EnableManagedSpotTraining=True, CheckpointConfig={"S3Uri": "s3://b/cp"})
    first = spot.executor.next()
    (first.ml / "checkpoints/epoch-3").write_text("weights")
    spot.clock.advance(10)
    second = spot.executor.next()
    assert first.stops and first.released
    assert spot.storage.read("b", "cp/epoch-3") == b"weights"
    assert (second.ml / "checkpoints/epoch-3").read_text() == "weights"
    spot.clock.advance(100)
    second.end()
    body = spot.finish()
    assert body["TrainingJobStatus"] == "Completed"
    again = ["Starting", "Downloading", "Training"]
    assert words(body) == [*again, "Interrupted", *again, "Uploading", "Completed"]


def test_a_spot_job_is_interrupted_once(spot: Any) -> None:
    spot.submit(EnableManagedSpotTraining=True)
    spot.executor.next()
    spot.clock.advance(10)
    second = spot.executor.next()
    spot.clock.advance(1000)
    assert not second.stops


def test_a_job_on_demand_is_never_interrupted(spot: Any) -> None:
    spot.submit()
    program = spot.executor.next()
    spot.clock.advance(1000)
    assert not program.stops


def test_the_wait_deadline_ends_a_job_that_was_interrupted(spot: Any) -> None:
    spot.submit(EnableManagedSpotTraining=True, wait_until=spot.clock.now() + 50)
    spot.executor.next()
    spot.clock.advance(10)
    spot.executor.next()
    spot.clock.advance(41)
    body = spot.finish()
    assert (body["TrainingJobStatus"], body["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def test_an_interruption_survives_a_restart(spot: Any) -> None:
    spot.executor.stop_ends = False
    spot.submit(EnableManagedSpotTraining=True)
    first = spot.executor.next()
    spot.clock.advance(10)
    assert first.stops
    spot.kill()
    first.end(-15, ExitReason.STOPPED)
    spot.executor.stop_ends = True
    spot.start().recover()
    second = spot.executor.next()
    second.end()
    body = spot.finish()
    assert body["TrainingJobStatus"] == "Completed"
    assert "Interrupted" in words(body)


def with_retries(mini: Any, count: int) -> None:
    mini.engine.submit(mini.accept("job", {"life": hidden_life(Job(retries=count))}))


def test_an_internal_error_is_tried_again(mini: Any) -> None:
    with_retries(mini, 1)
    mini.executor.next().end(reason=ExitReason.LOST, detail="the machine went away")
    second = mini.executor.next()
    second.end()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Completed"
    assert "Restarting" in words(body)


def test_retries_come_to_an_end(mini: Any) -> None:
    with_retries(mini, 1)
    for _ in range(2):
        mini.executor.next().end(reason=ExitReason.LOST, detail="the machine went away")
    assert "the machine went away" in mini.finish()["FailureReason"]


def test_a_failure_of_the_program_is_not_tried_again(mini: Any) -> None:
    with_retries(mini, 3)
    mini.executor.next().end(1)
    assert mini.finish()["TrainingJobStatus"] == "Failed"
    assert len(mini.executor.programs) == 1
