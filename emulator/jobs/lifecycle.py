"""The life of a job, as a pure function: `step(job, event) -> (job, effects)`. No I/O.

What happens to a job between two events is the engine's and the recipe's matter; what a client sees of a phase is
written by `emulator.jobs.record`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from emulator.errors import HouseFault


class Phase(Enum):
    """Where a job is in its life."""

    QUEUED = "was accepted"
    PENDING = "waits for its turn"
    PREPARING = "its inputs are fetched"
    LAUNCHING = "its program is about to start"
    RUNNING = "its program runs"
    RETREATING = "its program was ended by us or by the machine, and is to run again"
    SAVING = "its outputs are saved"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


TERMINAL = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.STOPPED})
UNSTARTED = frozenset({Phase.QUEUED, Phase.PENDING})


class Cause(Enum):
    """Why a job is being ended before it ends by itself; the value is the secondary status in the end."""

    NONE = ""
    STOP = "Stopped"
    RUNTIME = "MaxRuntimeExceeded"
    WAIT = "MaxWaitTimeExceeded"
    INTERRUPT = "Interrupted"
    """The one cause after which the job goes on: its spot capacity was taken away."""


class Found(Enum):
    """What a restart finds of a job whose program had been launched, or was about to be."""

    ALIVE = "the program runs, or has left its exit status"
    AGAIN = "nothing is lost by beginning again"
    GONE = "the program is gone"


INTERNAL = "InternalServerError: We encountered an internal error.  Please try again."
"""The service's own words, two blanks included."""

GONE_REASON = f"{INTERNAL} (The server was stopped or restarted, and the run is gone.)"


@dataclass(frozen=True)
class Job:
    """What decides the next step: the phase, why it is being ended (if it is), why it failed (if it did), and how
    often an internal error may still be answered by beginning again (RetryStrategy)."""

    phase: Phase = Phase.QUEUED
    cause: Cause = Cause.NONE
    failure: str = ""
    retries: int = 0


# --- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Admitted:
    """It is this job's turn."""


@dataclass(frozen=True)
class Delayed:
    """The machine is full: it was not this job's turn at once."""


@dataclass(frozen=True)
class WaitedTooLong:
    """MaxPendingTimeInSeconds passed, which matters to those that still wait."""


@dataclass(frozen=True)
class InputsReady:
    """Everything that the program reads is in its place."""


@dataclass(frozen=True)
class Launched:
    """The executor was told to start the program."""


@dataclass(frozen=True)
class Exited:
    """The program is over; `failure` says why it failed, and is empty when it did not."""

    failure: str = ""


@dataclass(frozen=True)
class OutputsSaved:
    """What the program left behind is stored."""


@dataclass(frozen=True)
class StopRequested:
    """A client asked for the end."""


@dataclass(frozen=True)
class DeadlinePassed:
    """A limit of the StoppingCondition was reached (`cause` is RUNTIME or WAIT)."""

    cause: Cause = Cause.RUNTIME


@dataclass(frozen=True)
class InterruptRequested:
    """The capacity of a spot job was taken away."""


@dataclass(frozen=True)
class Retreated:
    """What the program had saved is safe, and nothing of it runs any more."""


@dataclass(frozen=True)
class Broke:
    """The house could not do its part of the present phase; the reason is fit for a FailureReason."""

    reason: str


@dataclass(frozen=True)
class Resumed:
    """The house was started anew and finds this job in its records."""

    found: Found = Found.AGAIN


Waiting = Admitted | Delayed | WaitedTooLong
Ending = Exited | StopRequested | DeadlinePassed | InterruptRequested | Broke
Event = Waiting | InputsReady | Launched | OutputsSaved | Retreated | Resumed | Ending

# --- effects ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Enqueue:
    """Wait for room on the machine (and report Delayed if there is none yet), then report Admitted."""


@dataclass(frozen=True)
class FetchInputs:
    """Make the workspace; report InputsReady."""


@dataclass(frozen=True)
class Launch:
    """Start the program; report Launched."""


@dataclass(frozen=True)
class Watch:
    """Wait for the program's end, read its metrics meanwhile; report Exited."""


@dataclass(frozen=True)
class Kill:
    """End the program (or give up what is done for it) politely, then firmly. Its end is reported by Watch."""


@dataclass(frozen=True)
class Retreat:
    """Store the checkpoints, free the run and the slot, so that the job can begin again; report Retreated."""


@dataclass(frozen=True)
class SaveOutputs:
    """Store what the program left; report OutputsSaved."""


@dataclass(frozen=True)
class Release:
    """Give back all that the job held: its run, its folder, its slot, its deadlines."""


Effect = Enqueue | FetchInputs | Launch | Watch | Kill | Retreat | SaveOutputs | Release
Step = tuple[Job, tuple[Effect, ...]]


def _fetch(job: Job, event: object) -> Step:
    return replace(job, phase=Phase.PREPARING), (FetchInputs(),)


def _save_again(job: Job, event: object) -> Step:
    return job, (SaveOutputs(),)


def _line_up(job: Job, event: object) -> Step:
    return job, (Enqueue(),)


def _end_unstarted(job: Job, event: StopRequested | DeadlinePassed) -> Step:
    return replace(job, phase=Phase.STOPPED, cause=_cause(event)), (Release(),)


def _wait(job: Job, event: object) -> Step:
    return replace(job, phase=Phase.PENDING), ()


def _give_up(job: Job, event: object) -> Step:
    return replace(job, phase=Phase.STOPPED, cause=Cause.WAIT), (Release(),)


def _launch(job: Job, event: object) -> Step:
    if job.cause is not Cause.NONE:
        return replace(job, phase=Phase.STOPPED), (Release(),)
    return replace(job, phase=Phase.LAUNCHING), (Launch(),)


def _broke_early(job: Job, event: Broke) -> Step:
    """Before anything ran: there is nothing to save, and a stop that was asked for is not a failure."""
    if job.cause is not Cause.NONE:
        return replace(job, phase=Phase.STOPPED), (Release(),)
    if _again(job, event.reason):
        return _retry(job)
    return replace(job, phase=Phase.FAILED, failure=event.reason), (Release(),)


def _watch(job: Job, event: object) -> Step:
    kill: tuple[Effect, ...] = (Kill(),) if job.cause is not Cause.NONE else ()
    return replace(job, phase=Phase.RUNNING), (Watch(), *kill)


def _resume_run(job: Job, event: Resumed) -> Step:
    if event.found is Found.ALIVE:
        return _watch(job, event)
    if job.cause is Cause.INTERRUPT:
        return replace(job, phase=Phase.RETREATING), (Enqueue(),)
    if job.cause is not Cause.NONE:
        return replace(job, phase=Phase.STOPPED), (Release(),)
    if event.found is Found.AGAIN:
        return replace(job, phase=Phase.PREPARING), (Enqueue(),)
    return replace(job, phase=Phase.FAILED, failure=GONE_REASON), (Release(),)


def _end(job: Job, event: StopRequested | DeadlinePassed) -> Step:
    if job.cause is Cause.INTERRUPT:
        return replace(job, cause=_cause(event)), ()
    if job.cause is not Cause.NONE:
        return job, ()
    return replace(job, cause=_cause(event)), (Kill(),)


def _interrupt(job: Job, event: object) -> Step:
    if job.cause is not Cause.NONE:
        return job, ()
    return replace(job, cause=Cause.INTERRUPT), (Kill(),)


def _save(job: Job, event: Exited) -> Step:
    """A program that was told to end may end with any status: that is no failure of its own."""
    if job.cause is Cause.INTERRUPT:
        return replace(job, phase=Phase.RETREATING), (Retreat(),)
    if _again(job, event.failure):
        return _retry(job)
    failure = event.failure if job.cause is Cause.NONE else ""
    return replace(job, phase=Phase.SAVING, failure=failure), (SaveOutputs(),)


def _stop_while_saving(job: Job, event: StopRequested) -> Step:
    if job.failure or job.cause is not Cause.NONE:
        return job, ()
    return replace(job, cause=Cause.STOP), ()


def _settle(job: Job, event: object) -> Step:
    phase = Phase.FAILED if job.failure else Phase.COMPLETED if job.cause is Cause.NONE else Phase.STOPPED
    return replace(job, phase=phase), (Release(),)


def _again(job: Job, failure: str) -> bool:
    """Only what is not the program's fault is tried again (API_RetryStrategy: "due to an InternalServerError")."""
    return job.retries > 0 and job.cause is Cause.NONE and failure.startswith("InternalServerError")


def _retry(job: Job) -> Step:
    return replace(job, phase=Phase.RETREATING, retries=job.retries - 1), (Retreat(),)


def _retreat_again(job: Job, event: object) -> Step:
    return job, (Retreat(),)


def _end_retreat(job: Job, event: StopRequested | DeadlinePassed) -> Step:
    going_on = job.cause in (Cause.NONE, Cause.INTERRUPT)
    return (replace(job, cause=_cause(event)) if going_on else job), ()


def _begin_again(job: Job, event: object) -> Step:
    if job.cause in (Cause.NONE, Cause.INTERRUPT):
        return replace(job, phase=Phase.QUEUED, cause=Cause.NONE), (Enqueue(),)
    return replace(job, phase=Phase.STOPPED), (Release(),)


def _broke_in_retreat(job: Job, event: Broke) -> Step:
    return replace(job, phase=Phase.FAILED, cause=Cause.NONE, failure=event.reason), (Release(),)


def _broke_running(job: Job, event: Broke) -> Step:
    """The run cannot be watched any more."""
    if _again(job, event.reason):
        return _retry(job)
    return _broke_late(job, event)


def _broke_late(job: Job, event: Broke) -> Step:
    return replace(job, phase=Phase.FAILED, failure=job.failure or event.reason), (Release(),)


def _stay(job: Job, event: object) -> Step:
    return job, ()


def _cause(event: StopRequested | DeadlinePassed) -> Cause:
    return Cause.STOP if isinstance(event, StopRequested) else event.cause


P = Phase
TABLE: dict[tuple[Phase, type], Callable[..., Step]] = {
    (P.QUEUED, Admitted): _fetch,
    (P.QUEUED, StopRequested): _end_unstarted,
    (P.QUEUED, DeadlinePassed): _end_unstarted,
    (P.QUEUED, Broke): _broke_early,
    (P.QUEUED, Resumed): _line_up,
    (P.QUEUED, Delayed): _wait,
    (P.QUEUED, WaitedTooLong): _give_up,
    (P.PENDING, Admitted): _fetch,
    (P.PENDING, StopRequested): _end_unstarted,
    (P.PENDING, DeadlinePassed): _end_unstarted,
    (P.PENDING, Broke): _broke_early,
    (P.PENDING, Resumed): _line_up,
    (P.PENDING, Delayed): _stay,
    (P.PENDING, WaitedTooLong): _give_up,
    (P.PREPARING, Admitted): _fetch,
    (P.PREPARING, InputsReady): _launch,
    (P.PREPARING, StopRequested): _end,
    (P.PREPARING, DeadlinePassed): _end,
    (P.PREPARING, Broke): _broke_early,
    (P.PREPARING, Resumed): _line_up,
    (P.LAUNCHING, Launched): _watch,
    (P.LAUNCHING, StopRequested): _end,
    (P.LAUNCHING, DeadlinePassed): _end,
    (P.LAUNCHING, Broke): _broke_early,
    (P.LAUNCHING, Resumed): _resume_run,
    (P.RUNNING, Exited): _save,
    (P.RUNNING, StopRequested): _end,
    (P.RUNNING, DeadlinePassed): _end,
    (P.RUNNING, InterruptRequested): _interrupt,
    (P.RUNNING, Broke): _broke_running,
    (P.RUNNING, Resumed): _resume_run,
    (P.RETREATING, Admitted): _retreat_again,
    (P.RETREATING, Retreated): _begin_again,
    (P.RETREATING, StopRequested): _end_retreat,
    (P.RETREATING, DeadlinePassed): _end_retreat,
    (P.RETREATING, Broke): _broke_in_retreat,
    (P.RETREATING, Resumed): _line_up,
    (P.SAVING, Admitted): _save_again,
    (P.SAVING, OutputsSaved): _settle,
    (P.SAVING, StopRequested): _stop_while_saving,
    (P.SAVING, DeadlinePassed): _stay,
    (P.SAVING, Broke): _broke_late,
    (P.SAVING, Resumed): _line_up,
}
TABLE |= {(phase, InterruptRequested): _stay for phase in P if phase is not P.RUNNING and phase not in TERMINAL}
"""A program that does not run has no capacity that could be taken away."""
TABLE |= {(phase, late): _stay for phase in P if phase not in UNSTARTED | TERMINAL for late in (Delayed, WaitedTooLong)}
"""Who does not wait any more does not mind how long it waited: it was admitted in that moment."""
del P


def step(job: Job, event: Event) -> Step:
    """The job after `event`, and what must be done about it. An event that cannot be now is a bug of ours."""
    if job.phase in TERMINAL:
        return job, ()
    try:
        transition = TABLE[job.phase, type(event)]
    except KeyError:
        raise HouseFault(f"a job in {job.phase.name} cannot take {event}", (repr(job), repr(event))) from None
    return transition(job, event)
