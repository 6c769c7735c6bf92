"""The lifecycle is walked exhaustively: every state that can be reached, with every event that can happen there."""

from __future__ import annotations

import pytest

from emulator.errors import HouseFault
from emulator.jobs import lifecycle as life
from emulator.jobs.lifecycle import Cause, Found, Job, Phase
from emulator.jobs.transitions import TABLE, step

EVENTS: tuple[life.Event, ...] = (
    life.Admitted(),
    life.Delayed(),
    life.WaitedTooLong(),
    life.InputsReady(),
    life.Launched(),
    life.Exited(),
    life.Exited("AlgorithmError: x"),
    life.OutputsSaved(),
    life.Exited("InternalServerError: x"),
    life.InterruptRequested(),
    life.Struck("AlgorithmError: on purpose"),
    life.Retreated(),
    life.StopRequested(),
    life.DeadlinePassed(Cause.RUNTIME),
    life.DeadlinePassed(Cause.WAIT),
    life.Broke("InternalServerError: x"),
    life.Resumed(Found.ALIVE),
    life.Resumed(Found.AGAIN),
    life.Resumed(Found.GONE),
)


def reachable() -> dict[Job, list[tuple[life.Event, Job, tuple[life.Effect, ...]]]]:
    seen: dict[Job, list[tuple[life.Event, Job, tuple[life.Effect, ...]]]] = {}
    todo = [Job(), Job(retries=2)]
    while todo:
        job = todo.pop()
        if job in seen:
            continue
        seen[job] = []
        for event in EVENTS:
            try:
                after, effects = step(job, event)
            except HouseFault:
                continue
            seen[job].append((event, after, effects))
            todo.append(after)
    return seen


WALK = reachable()


def test_every_phase_can_be_reached() -> None:
    assert {job.phase for job in WALK} == set(Phase)


def test_there_is_no_dead_end() -> None:
    ends = {job for job in WALK if job.phase in life.TERMINAL}
    while True:
        more = {job for job, steps in WALK.items() if any(after in ends for _, after, _ in steps)} - ends
        if not more:
            break
        ends |= more
    assert ends == set(WALK)


def test_terminal_phases_absorb_every_event() -> None:
    for job, steps in WALK.items():
        if job.phase in life.TERMINAL:
            assert len(steps) == len(EVENTS)
            assert all(after == job and effects == () for _, after, effects in steps)


def test_resources_are_released_exactly_when_a_job_becomes_terminal() -> None:
    for job, steps in WALK.items():
        for event, after, effects in steps:
            ended = job.phase not in life.TERMINAL and after.phase in life.TERMINAL
            assert sum(isinstance(effect, life.Release) for effect in effects) == ended, (job, event)


def test_a_failed_job_says_why_and_no_other_one_does() -> None:
    for job in WALK:
        if job.phase in life.TERMINAL:
            assert bool(job.failure) == (job.phase is Phase.FAILED)
            assert job.phase is not Phase.STOPPED or job.cause not in (Cause.NONE, Cause.INTERRUPT)


def test_every_phase_under_way_can_be_stopped_and_resumed() -> None:
    for job in WALK:
        if job.phase not in life.TERMINAL:
            assert (job.phase, life.StopRequested) in TABLE
            assert (job.phase, life.Resumed) in TABLE
            assert (job.phase, life.Broke) in TABLE
            assert (job.phase, life.DeadlinePassed) in TABLE
            assert (job.phase, life.InterruptRequested) in TABLE
            assert (job.phase, life.Struck) in TABLE


def test_the_first_cause_of_an_end_is_kept() -> None:
    job, _ = step(Job(Phase.RUNNING), life.DeadlinePassed(Cause.RUNTIME))
    after, effects = step(job, life.StopRequested())
    assert after.cause is Cause.RUNTIME
    assert effects == ()


def test_a_stopped_program_may_end_with_any_status() -> None:
    job, _ = step(Job(Phase.RUNNING, Cause.STOP), life.Exited("AlgorithmError: exit code: 143"))
    after, _ = step(job, life.OutputsSaved())
    assert after == Job(Phase.STOPPED, Cause.STOP)


def test_an_impossible_event_is_a_fault_that_carries_its_story() -> None:
    with pytest.raises(HouseFault) as fault:
        step(Job(), life.OutputsSaved())
    assert "QUEUED" in fault.value.message
    assert fault.value.story


def test_stopping_between_launch_and_its_report_still_kills() -> None:
    job, effects = step(Job(Phase.LAUNCHING), life.StopRequested())
    after, later = step(job, life.Launched())
    assert effects == (life.Kill(),)
    assert later == (life.Watch(), life.Kill())
    assert after.phase is Phase.RUNNING


def test_an_interrupted_job_lines_up_again_whatever_its_exit_status() -> None:
    job, effects = step(Job(Phase.RUNNING), life.InterruptRequested())
    assert effects == (life.Kill(),)
    for over in (life.Exited(), life.Exited("AlgorithmError: exit code: 143")):
        away, effects = step(job, over)
        assert (away.phase, effects) == (Phase.RETREATING, (life.Retreat(),))
        assert step(away, life.Retreated()) == (Job(), (life.Enqueue(),))


def test_a_stop_of_an_interrupted_job_ends_it() -> None:
    job, _ = step(Job(Phase.RUNNING), life.InterruptRequested())
    stopped, effects = step(job, life.StopRequested())
    assert (stopped.cause, effects) == (Cause.STOP, ())
    away, _ = step(job, life.Exited())
    ending, _ = step(away, life.StopRequested())
    assert step(ending, life.Retreated()) == (Job(Phase.STOPPED, Cause.STOP), (life.Release(),))


def test_an_internal_error_is_retried_as_often_as_was_asked_for_and_a_failure_of_the_program_never() -> None:
    internal, own = life.Exited("InternalServerError: x"), life.Exited("AlgorithmError: x")
    job, effects = step(Job(Phase.RUNNING, retries=1), internal)
    assert (job, effects) == (Job(Phase.RETREATING), (life.Retreat(),))
    assert step(Job(Phase.RUNNING), internal)[0].phase is Phase.SAVING
    assert step(Job(Phase.RUNNING, retries=1), own)[0].phase is Phase.SAVING


def test_a_job_that_is_struck_is_ended_saves_what_it_has_and_fails_for_that_reason() -> None:
    job, effects = step(Job(Phase.RUNNING), life.Struck("AlgorithmError: on purpose"))
    assert effects == (life.Kill(),) and job.phase is Phase.RUNNING
    job, effects = step(job, life.Exited("InternalServerError: ended"))
    assert effects == (life.SaveOutputs(),)
    job, _ = step(job, life.OutputsSaved())
    assert job == Job(Phase.FAILED, failure="AlgorithmError: on purpose")


def test_a_job_that_is_struck_by_an_internal_error_is_tried_again() -> None:
    job, _ = step(Job(Phase.RUNNING, retries=1), life.Struck("InternalServerError: on purpose"))
    job, effects = step(job, life.Exited("AlgorithmError: exit code: 143"))
    assert job == Job(Phase.RETREATING, retries=0) and effects == (life.Retreat(),)


@pytest.mark.parametrize("found", Found)
def test_a_restart_does_not_forget_that_a_job_was_struck(found: Found) -> None:
    job, _ = step(Job(Phase.RUNNING), life.Struck("AlgorithmError: on purpose"))
    job, effects = step(job, life.Resumed(found))
    if found is Found.ALIVE:
        assert life.Kill() in effects
        job, _ = step(job, life.Exited())
        job, _ = step(job, life.OutputsSaved())
    assert job == Job(Phase.FAILED, failure="AlgorithmError: on purpose")


def test_who_is_being_stopped_is_struck_no_more() -> None:
    job = Job(Phase.RUNNING, Cause.STOP)
    assert step(job, life.Struck("AlgorithmError: on purpose")) == (job, ())
