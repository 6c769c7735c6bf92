"""The model servers of one generation of an endpoint: started together, watched, replaced when they die, drained."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from emulator.hosts.plan import VariantPlan
from emulator.servers import ModelServer, ServerFailed, ServerSpec

log = logging.getLogger(__name__)

GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL."""

DRAIN_SECONDS = 65.0
"""Longest wait for running requests: an invocation may take 60 s."""


class FleetFailure(Exception):
    """A generation cannot come up; the message is the endpoint's FailureReason."""


class Servers(Protocol):
    """What this room needs of `emulator.servers.ModelServers`."""

    def start(self, spec: ServerSpec) -> ModelServer:
        """Start a server."""
        ...

    def adopt(self, spec: ServerSpec) -> ModelServer | None:
        """Take over a server that outlived the house."""
        ...


@dataclass
class Member:
    """One place in the fleet: a variant's instance, and the server that fills it now."""

    variant: str
    instance: str
    spec: ServerSpec
    server: ModelServer | None = None
    starting: ModelServer | None = None
    """The one that is not healthy yet."""
    busy: int = 0
    turn: int = 0
    """When it was borrowed last: among those that are equally busy it goes round."""
    dismissed: bool = False
    known: bool = False
    """It may have a server already, of a former life of the house."""


MakeSpec = Callable[..., tuple[str, ServerSpec]]
"""Gives a variant's next server an instance id and a spec of its own; a second argument is the run that it replaces."""


class Fleet:
    """All servers of a generation. Thread safe."""

    def __init__(self, servers: Servers, plans: tuple[VariantPlan, ...], start_timeout: float, make: MakeSpec) -> None:
        self.plans = {plan.name: plan for plan in plans}
        self._servers = servers
        self._start_timeout = start_timeout
        self._make = make
        self._members: list[Member] = []
        self._joining: list[Member] = []  # of a rescaling: they take no request yet
        self._change = threading.Condition()
        self._closed = False
        self._turns = 0

    def start(self, known: Mapping[str, tuple[tuple[str, ServerSpec], ...]] | None = None) -> None:
        """Adopt the `known` servers (by variant), start those that are missing, and wait until all are healthy."""
        members = []
        for plan in self.plans.values():
            before = list((known or {}).get(plan.name, ()))[: plan.count]
            made = [self._make(plan) for _ in range(plan.count - len(before))]
            members += [Member(plan.name, instance, spec, known=True) for instance, spec in before]
            members += [Member(plan.name, instance, spec) for instance, spec in made]
        with self._change:
            self._members += members
        self._bring_up(members)

    def rescale(self, plans: tuple[VariantPlan, ...]) -> None:
        """Take new weights at once; start what is missing, then dismiss what is too much."""
        wanted = {plan.name: plan for plan in plans}
        added = []
        for name, plan in wanted.items():
            missing = plan.count - len(self.members(name))
            added += [Member(name, *self._make(plan)) for _ in range(max(0, missing))]
        with self._change:
            self._joining = added = [] if self._closed else added
        try:
            self._bring_up(added)
        finally:
            self._joining = []
        surplus: list[Member] = []
        with self._change:
            if self._closed:
                surplus, added = added, []
            self._members += added
            self.plans = wanted
            for name, plan in wanted.items():
                surplus += [m for m in self._members if m.variant == name][plan.count :]
            self._members = [m for m in self._members if m not in surplus]
        self._dismiss(surplus)

    def members(self, variant: str | None = None) -> list[Member]:
        """The places of a variant, or all."""
        with self._change:
            return [m for m in self._members if variant in (None, m.variant)]

    @contextmanager
    def borrow(self, variant: str) -> Iterator[ModelServer | None]:
        """The least busy server of a variant, kept alive meanwhile; None when the fleet is closed or all are down."""
        member = self._take(variant)
        try:
            yield member.server if member else None
        finally:
            if member:
                with self._change:
                    member.busy -= 1
                    self._change.notify_all()

    def close(self, drain: bool = True, grace: float = GRACE) -> None:
        """Finish the requests that run (unless told not to), then end every server."""
        with self._change:
            self._closed = True
            members, self._members, self._joining = [*self._members, *self._joining], [], []
        self._dismiss(members, drain, grace)

    def _take(self, variant: str) -> Member | None:
        with self._change:
            ready = [m for m in self._members if m.variant == variant and m.server is not None]
            if self._closed or not ready:
                return None
            member = min(ready, key=lambda m: (m.busy, m.turn))
            member.busy += 1
            self._turns += 1
            member.turn = self._turns
            return member

    def _bring_up(self, members: list[Member]) -> None:
        failures: list[str] = []
        threads = [
            threading.Thread(target=self._start_one, args=(m, failures), name=f"start-{m.spec.run_id}", daemon=True)
            for m in members
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            self._dismiss(members, drain=False)
            raise FleetFailure(failures[0])
        for member in members:
            self._watch(member)

    def _start_one(self, member: Member, failures: list[str]) -> None:
        plan = self.plans.get(member.variant)
        timeout = plan.start_timeout if plan and plan.start_timeout else self._start_timeout
        server: ModelServer | None = None
        try:
            server = self._servers.adopt(member.spec) if member.known else None
            server = server or self._servers.start(member.spec)
            with self._change:
                member.starting = None if member.dismissed else server
            if member.starting is not None:
                server.wait_healthy(timeout)
            with self._change:
                member.starting, member.server = None, None if member.dismissed else server
        except ServerFailed as error:
            failures.append(_reason(member.variant, str(error), started=server is not None))
        except Exception as error:
            log.exception("starting %s", member.spec.run_id)
            failures.append(f"InternalServerError: the server of variant {member.variant} was not started: {error}")
        with self._change:
            member.starting = None
        if server is not None and member.server is None:
            server.stop(0.0)

    def _watch(self, member: Member) -> None:
        name = f"watch-{member.spec.run_id}"
        threading.Thread(target=self._keep_alive, args=(member,), name=name, daemon=True).start()

    def _keep_alive(self, member: Member) -> None:
        """Replace a server that dies, with growing pauses: a model that crashes at once must not burn the machine."""
        pause = 0.1
        while (server := member.server) is not None:
            server.wait(None)
            with self._change:
                if member.dismissed:
                    return
                member.server = None
            log.warning("server %s %s; starting another", member.spec.run_id, server.failure())
            server.stop(0.0)
            while member.server is None:
                with self._change:
                    if self._change.wait_for(lambda: member.dismissed, pause):
                        return
                pause = min(pause * 2, 30.0)
                member.instance, member.spec = self._make(self.plans[member.variant], member.spec.run_id)
                member.known = False
                self._start_one(member, [])
            with self._change:
                late = member.server if member.dismissed else None
            if late is not None:
                late.stop(0.0)
                return

    def _dismiss(self, members: list[Member], drain: bool = True, grace: float = GRACE) -> None:
        with self._change:
            for member in members:
                member.dismissed = True
            self._change.notify_all()
            if drain:
                self._change.wait_for(lambda: all(m.busy == 0 for m in members), DRAIN_SECONDS)
            servers = [server for m in members if (server := m.server or m.starting) is not None]
        stops = [threading.Thread(target=server.stop, args=(grace,), daemon=True) for server in servers]
        for thread in stops:
            thread.start()
        for thread in stops:
            thread.join()


def _reason(variant: str, detail: str, started: bool) -> str:
    if not started:
        return detail[:1024]
    text = (
        f"The primary container for production variant {variant} did not pass the ping health check. "
        f"Please check CloudWatch logs for this endpoint. The container {detail}"
    )
    return text[:1024]
