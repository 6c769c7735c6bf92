"""The life of a job as a pure function: `step(job, event) -> (job, effects)`, from a table. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulator.errors import HouseFault
from emulator.jobs import lifecycle as life
from emulator.jobs.lifecycle import GONE_REASON, TERMINAL, UNSTARTED, Cause, Found, Job, Phase

Step = tuple[Job, tuple[life.Effect, ...]]


def _fetch(job: Job, event: object) -> Step:
    return replace(job, phase=Phase.PREPARING), (life.FetchInputs(),)


def _save_again(job: Job, event: object) -> Step:
    return job, (life.SaveOutputs(),)


def _line_up(job: Job, event: object) -> Step:
    return job, (life.Enqueue(),)


def _end_unstarted(job: Job, event: life.StopRequested | life.DeadlinePassed) -> Step:
    return replace(job, phase=Phase.STOPPED, cause=_cause(event)), (life.Release(),)


def _wait(job: Job, event: object) -> Step:
    return replace(job, phase=Phase.PENDING), ()


def _give_up(job: Job, event: object) -> Step:
    return replace(job, phase=Phase.STOPPED, cause=Cause.WAIT), (life.Release(),)


def _launch(job: Job, event: object) -> Step:
    if job.cause is not Cause.NONE:
        return replace(job, phase=Phase.STOPPED), (life.Release(),)
    return replace(job, phase=Phase.LAUNCHING), (life.Launch(),)


def _broke_early(job: Job, event: life.Broke) -> Step:
    """Before anything ran: there is nothing to save, and a stop that was asked for is not a failure."""
    if job.cause is not Cause.NONE:
        return replace(job, phase=Phase.STOPPED), (life.Release(),)
    if _again(job, event.reason):
        return _retry(job)
    return replace(job, phase=Phase.FAILED, failure=event.reason), (life.Release(),)


def _watch(job: Job, event: object) -> Step:
    kill: tuple[life.Effect, ...] = (life.Kill(),) if job.cause is not Cause.NONE or job.failure else ()
    return replace(job, phase=Phase.RUNNING), (life.Watch(), *kill)


def _resume_run(job: Job, event: life.Resumed) -> Step:
    if event.found is Found.ALIVE:
        return _watch(job, event)
    if job.cause is Cause.INTERRUPT:
        return replace(job, phase=Phase.RETREATING), (life.Enqueue(),)
    if job.failure:
        return replace(job, phase=Phase.FAILED), (life.Release(),)
    if job.cause is not Cause.NONE:
        return replace(job, phase=Phase.STOPPED), (life.Release(),)
    if event.found is Found.AGAIN:
        return replace(job, phase=Phase.PREPARING), (life.Enqueue(),)
    return replace(job, phase=Phase.FAILED, failure=GONE_REASON), (life.Release(),)


def _end(job: Job, event: life.StopRequested | life.DeadlinePassed) -> Step:
    if job.cause is Cause.INTERRUPT:
        return replace(job, cause=_cause(event)), ()
    if job.cause is not Cause.NONE:
        return job, ()
    return replace(job, cause=_cause(event)), (life.Kill(),)


def _interrupt(job: Job, event: object) -> Step:
    if job.cause is not Cause.NONE or job.failure:
        return job, ()
    return replace(job, cause=Cause.INTERRUPT), (life.Kill(),)


def _strike(job: Job, event: life.Struck) -> Step:
    """Its program is ended, and what it leaves behind is saved, as that of one that fails by itself."""
    if job.cause is not Cause.NONE or job.failure:
        return job, ()
    return replace(job, failure=event.reason), (life.Kill(),)


def _save(job: Job, event: life.Exited) -> Step:
    """A program that was told to end may end with any status: that is no failure of its own."""
    if job.cause is Cause.INTERRUPT:
        return replace(job, phase=Phase.RETREATING), (life.Retreat(),)
    failure = job.failure or (event.failure if job.cause is Cause.NONE else "")
    if _again(job, failure):
        return _retry(job)
    return replace(job, phase=Phase.SAVING, failure=failure), (life.SaveOutputs(),)


def _stop_while_saving(job: Job, event: life.StopRequested) -> Step:
    if job.failure or job.cause is not Cause.NONE:
        return job, ()
    return replace(job, cause=Cause.STOP), ()


def _settle(job: Job, event: object) -> Step:
    phase = Phase.FAILED if job.failure else Phase.COMPLETED if job.cause is Cause.NONE else Phase.STOPPED
    return replace(job, phase=phase), (life.Release(),)


def _again(job: Job, failure: str) -> bool:
    """Only what is not the program's fault is tried again (API_RetryStrategy: "due to an InternalServerError")."""
    return job.retries > 0 and job.cause is Cause.NONE and failure.startswith("InternalServerError")


def _retry(job: Job) -> Step:
    return replace(job, phase=Phase.RETREATING, retries=job.retries - 1, failure=""), (life.Retreat(),)


def _retreat_again(job: Job, event: object) -> Step:
    return job, (life.Retreat(),)


def _end_retreat(job: Job, event: life.StopRequested | life.DeadlinePassed) -> Step:
    going_on = job.cause in (Cause.NONE, Cause.INTERRUPT)
    return (replace(job, cause=_cause(event)) if going_on else job), ()


def _begin_again(job: Job, event: object) -> Step:
    if job.cause in (Cause.NONE, Cause.INTERRUPT):
        return replace(job, phase=Phase.QUEUED, cause=Cause.NONE), (life.Enqueue(),)
    return replace(job, phase=Phase.STOPPED), (life.Release(),)


def _broke_in_retreat(job: Job, event: life.Broke) -> Step:
    return replace(job, phase=Phase.FAILED, cause=Cause.NONE, failure=event.reason), (life.Release(),)


def _broke_running(job: Job, event: life.Broke) -> Step:
    """The run cannot be watched any more."""
    if not job.failure and _again(job, event.reason):
        return _retry(job)
    return _broke_late(job, event)


def _broke_late(job: Job, event: life.Broke) -> Step:
    return replace(job, phase=Phase.FAILED, failure=job.failure or event.reason), (life.Release(),)


def _stay(job: Job, event: object) -> Step:
    return job, ()


def _cause(event: life.StopRequested | life.DeadlinePassed) -> Cause:
    return Cause.STOP if isinstance(event, life.StopRequested) else event.cause


P = Phase
TABLE: dict[tuple[Phase, type], Callable[..., Step]] = {
    (P.QUEUED, life.Admitted): _fetch,
    (P.QUEUED, life.StopRequested): _end_unstarted,
    (P.QUEUED, life.DeadlinePassed): _end_unstarted,
    (P.QUEUED, life.Broke): _broke_early,
    (P.QUEUED, life.Resumed): _line_up,
    (P.QUEUED, life.Delayed): _wait,
    (P.QUEUED, life.WaitedTooLong): _give_up,
    (P.PENDING, life.Admitted): _fetch,
    (P.PENDING, life.StopRequested): _end_unstarted,
    (P.PENDING, life.DeadlinePassed): _end_unstarted,
    (P.PENDING, life.Broke): _broke_early,
    (P.PENDING, life.Resumed): _line_up,
    (P.PENDING, life.Delayed): _stay,
    (P.PENDING, life.WaitedTooLong): _give_up,
    (P.PREPARING, life.Admitted): _fetch,
    (P.PREPARING, life.InputsReady): _launch,
    (P.PREPARING, life.StopRequested): _end,
    (P.PREPARING, life.DeadlinePassed): _end,
    (P.PREPARING, life.Broke): _broke_early,
    (P.PREPARING, life.Resumed): _line_up,
    (P.LAUNCHING, life.Launched): _watch,
    (P.LAUNCHING, life.StopRequested): _end,
    (P.LAUNCHING, life.DeadlinePassed): _end,
    (P.LAUNCHING, life.Broke): _broke_early,
    (P.LAUNCHING, life.Resumed): _resume_run,
    (P.RUNNING, life.Exited): _save,
    (P.RUNNING, life.StopRequested): _end,
    (P.RUNNING, life.DeadlinePassed): _end,
    (P.RUNNING, life.InterruptRequested): _interrupt,
    (P.RUNNING, life.Struck): _strike,
    (P.RUNNING, life.Broke): _broke_running,
    (P.RUNNING, life.Resumed): _resume_run,
    (P.RETREATING, life.Admitted): _retreat_again,
    (P.RETREATING, life.Retreated): _begin_again,
    (P.RETREATING, life.StopRequested): _end_retreat,
    (P.RETREATING, life.DeadlinePassed): _end_retreat,
    (P.RETREATING, life.Broke): _broke_in_retreat,
    (P.RETREATING, life.Resumed): _line_up,
    (P.SAVING, life.Admitted): _save_again,
    (P.SAVING, life.OutputsSaved): _settle,
    (P.SAVING, life.StopRequested): _stop_while_saving,
    (P.SAVING, life.DeadlinePassed): _stay,
    (P.SAVING, life.Broke): _broke_late,
    (P.SAVING, life.Resumed): _line_up,
}
TABLE |= {
    (phase, late): _stay
    for phase in P
    if phase is not P.RUNNING and phase not in TERMINAL
    for late in (life.InterruptRequested, life.Struck)
}
"""A program that does not run has no capacity that could be taken away, and cannot fail."""
TABLE |= {
    (phase, late): _stay
    for phase in P
    if phase not in UNSTARTED | TERMINAL
    for late in (life.Delayed, life.WaitedTooLong)
}
"""Who does not wait any more does not mind how long it waited: it was admitted in that moment."""
del P


def step(job: Job, event: life.Event) -> Step:
    """The job after `event`, and what must be done about it. An event that cannot be now is a bug of ours."""
    if job.phase in TERMINAL:
        return job, ()
    try:
        transition = TABLE[job.phase, type(event)]
    except KeyError:
        raise HouseFault(f"a job in {job.phase.name} cannot take {event}", (repr(job), repr(event))) from None
    return transition(job, event)
