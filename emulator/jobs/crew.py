"""The programs of one job, one a host: started, watched, stopped and found again as one.

All run under one executor. The first that fails ends the others, as the service does; what it said is the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.jobs.metrics import LogStream
from emulator.jobs.recipes.recipe import Tools
from emulator.ports import Executor, Exit, ExitReason, RunSpec

PEER_GRACE = 10.0
"""Seconds that the programs of the other hosts have to end after one has failed."""


@dataclass(frozen=True)
class Member:
    """One host's program, and where it logs."""

    spec: RunSpec
    stream: LogStream

    @property
    def host(self) -> str:
        """The name of the host."""
        return self.spec.hostname


@dataclass(frozen=True)
class Verdict:
    """How the job's programs ended: by the exit of one of them."""

    member: Member
    exit: Exit


class Crew:
    """See the module. Used by the job's own thread, but for `stop`, which any thread may call."""

    def __init__(self, tools: Tools, members: Sequence[Member]) -> None:
        self._tools = tools
        self.members = tuple(members)
        self.executor: Executor | None = None
        self._over: dict[str, Exit] = {}
        """By run id: `wait` of an executor tells each end only once."""
        self._verdict: Verdict | None = None

    def choose(self) -> Executor:
        """The executor that all hosts will run under; raises what the room of executors raises when there is none."""
        if self.executor is None:
            self.executor = self._tools.executors.choose(*(member.spec for member in self.members))
        return self.executor

    def start(self) -> None:
        """Start the program of every host."""
        executor = self.choose()
        self._over, self._verdict = {}, None
        for member in self.members:
            executor.start(member.spec)

    def wait(self, seconds: float) -> Verdict | None:
        """Wait that long at most for the end of all; None while one of them runs."""
        executor = self.choose()
        running = [member for member in self.members if member.spec.run_id not in self._over]
        for member in running:
            over = executor.wait(member.spec.run_id, seconds / len(running))
            if over is not None:
                self._note(member, over)
        if len(self._over) < len(self.members):
            return None
        first = self.members[0]
        return self._verdict or Verdict(first, self._over[first.spec.run_id])

    def stop(self, grace: float) -> None:
        """SIGTERM to all that run, and SIGKILL after `grace` seconds."""
        executor = self.executor
        if executor is not None:
            for member in self.members:
                executor.stop(member.spec.run_id, grace)

    def adopt(self) -> int:
        """After a restart: how many of the hosts' programs were found. One that was not counts as lost."""
        for member in self.members:
            found = self._tools.executors.adopt(member.spec)
            if found is None:
                self._over[member.spec.run_id] = Exit(ExitReason.LOST, detail=f"nothing is left of {member.host}")
            self.executor = found or self.executor
        lost = [member for member in self.members if member.spec.run_id in self._over]
        if lost and self.executor is not None:
            self._note(lost[0], self._over[lost[0].spec.run_id])
        return len(self.members) - len(lost)

    def release(self) -> None:
        """End what still runs and free what it held. Idempotent."""
        executor = self.executor
        if executor is None:
            return
        left = [member.spec.run_id for member in self.members if member.spec.run_id not in self._over]
        left = [run_id for run_id in left if executor.wait(run_id, 0.0) is None]
        for run_id in left:
            executor.stop(run_id, 0.0)
        for run_id in left:
            executor.wait(run_id, 5.0)
        for member in self.members:
            executor.release(member.spec.run_id)

    def _note(self, member: Member, over: Exit) -> None:
        self._over[member.spec.run_id] = over
        if self._verdict is None and not _well(over):
            self._verdict = Verdict(member, over)
            for other in self.members:
                if other.spec.run_id not in self._over:
                    self.choose().stop(other.spec.run_id, PEER_GRACE)


def _well(over: Exit) -> bool:
    return over.reason in (ExitReason.EXITED, ExitReason.STOPPED) and not over.code
