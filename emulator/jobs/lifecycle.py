"""The words of a job's life: its phases, the events that move it on, and the effects that they ask for. Pure.

Which event leads where is `emulator.jobs.transitions`; what happens between two events is the engine's and the
recipe's matter; what a client sees of a phase is written by `emulator.jobs.record`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
class Struck:
    """The job is to fail on purpose; the reason is what its FailureReason will be."""

    reason: str


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
Ending = Exited | StopRequested | DeadlinePassed | InterruptRequested | Struck | Broke
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
