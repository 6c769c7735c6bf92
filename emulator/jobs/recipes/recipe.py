"""What a recipe is: how one kind of job does each phase of its life; and the tools that the house lends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from emulator.call import Scope
from emulator.clock import Clock
from emulator.jobs.lifecycle import Found
from emulator.jobs.machine import measured
from emulator.jobs.record import News
from emulator.jobs.scheduler import Machine
from emulator.jobs.warmth import WarmPools
from emulator.ports import Executor, Logs, Metrics, RunSpec, Storage, Trouble
from emulator.settings import Settings
from emulator.store.records import Record
from emulator.trouble import TroubleBook

if TYPE_CHECKING:
    from emulator.servers import ModelServer, ServerSpec


class JobBroken(Exception):
    """A phase cannot be done; the message is fit for a FailureReason."""


class Runner(Protocol):
    """What jobs need of `emulator.executors.Executors`."""

    def choose(self, spec: RunSpec, *others: RunSpec) -> Executor:
        """The one executor that will run `spec` and the job's other hosts; raises when there is none."""
        ...

    def adopt(self, spec: RunSpec) -> Executor | None:
        """The executor that still has a run of `spec`."""
        ...


class Servers(Protocol):
    """What jobs need of `emulator.servers.ModelServers`."""

    def start(self, spec: ServerSpec) -> ModelServer:
        """Fetch the model and start its server."""
        ...

    def adopt(self, spec: ServerSpec) -> ModelServer | None:
        """The server of `spec` if it outlived the house."""
        ...


class Records(Protocol):
    """What jobs need of `emulator.resources.Resources`."""

    def get(self, kind: str, scope: Scope, key: str) -> Record:
        """The record, or the kind's own error for an absent one."""
        ...

    def find(self, kind: str, scope: Scope, key: str) -> Record | None:
        """The record, or None."""
        ...

    def change(self, kind: str, scope: Scope, key: str, edit: Callable[[Record], Record]) -> Record:
        """Edit a record in one transaction."""
        ...

    def unsettled(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        """All records of a kind with one of these statuses, in every scope."""
        ...

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Tags of ours on a record, where there is room for them."""
        ...


@dataclass(frozen=True)
class Tools:
    """The rooms that recipes work with. `closing` is set when the job is to be let go of, because
    the server stops or forgets it: leave what runs, and return."""

    settings: Settings
    clock: Clock
    records: Records
    storage: Storage
    logs: Logs
    metrics: Metrics
    executors: Runner
    servers: Servers
    url: Callable[[], str] = lambda: ""
    """The URL of this house on the loopback of this machine; empty before it is bound."""
    credentials: Callable[[str, Scope, str], Mapping[str, str]] = lambda role, scope, session: {}
    """Temporary credentials of a role, as environment variables: (role ARN, scope, session name). New at each call."""
    closing: threading.Event = field(default_factory=threading.Event)
    trouble: Trouble = field(default_factory=TroubleBook)
    """What is to go wrong on purpose."""

    @cached_property
    def pools(self) -> WarmPools:
        """The warm pools of training jobs."""
        return WarmPools(Path(self.settings.data_dir), self.clock, self.records)

    @cached_property
    def machine(self) -> Machine:
        """What this machine has."""
        return measured(self.settings)

    def of(self, scope: Scope) -> Tools:
        """The tools for a job of one account and region: with its logs and metrics, a `closing` of its own, and
        everything else the same."""
        closing = threading.Event()
        mine = replace(self, logs=self.logs.of(scope), metrics=self.metrics.of(scope), closing=closing)
        vars(mine).update(pools=self.pools, machine=self.machine)
        return mine

    def folder(self, run_id: str) -> Path:
        """The run's own folder."""
        return Path(self.settings.data_dir) / "work" / run_id


class Recipe(Protocol):
    """One job of a kind. All but `kill` and `leave` are called by the job's own thread, one at a time and in order.

    A phase that cannot be done raises `JobBroken` (or `OSError`, for a full disk). Every phase may be called again
    after a restart of the house, on a new instance.
    """

    def fetch(self) -> News:
        """Make the workspace and put the inputs into it."""
        ...

    def launch(self) -> News:
        """Start the program."""
        ...

    def watch(self) -> tuple[str, News] | None:
        """Block until the program is over: why it failed (empty: it did not); None when the house is closing."""
        ...

    def kill(self) -> None:
        """End the program, or what is done before it runs. Called from any thread; returns at once."""
        ...

    def leave(self) -> None:
        """The house is closing: give up at once what does not outlive it. Called from any thread; returns at once."""
        ...

    def save(self) -> News:
        """Store what the program left behind."""
        ...

    def retreat(self) -> News:
        """Store what must not be lost, and free everything, so that the job can begin again."""
        ...

    def release(self) -> None:
        """Free everything; end a run that is still alive."""
        ...

    def resume(self) -> Found:
        """After a restart, of a job that had been launched or was about to be: what is left of it."""
        ...
