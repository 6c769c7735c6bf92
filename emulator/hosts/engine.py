"""Interprets the endpoint lifecycle: one transaction per step, effects in a small pool, results back as events."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from emulator.call import Extent, Scope
from emulator.clock import Clock
from emulator.errors import CallerFault, SageletError, Validation
from emulator.hosts import instances
from emulator.hosts import lifecycle as life
from emulator.hosts import plan as plans
from emulator.hosts.fleet import Fleet, FleetFailure, Servers
from emulator.hosts.fleets import Fleets
from emulator.hosts.record import described, endpoint_of, resting, with_endpoint
from emulator.hosts.returning import Returning
from emulator.hosts.router import Invoked, InvokeRequest, Router, not_found
from emulator.ports import Trouble
from emulator.servers import ServerSpec
from emulator.settings import Settings
from emulator.store.records import Record
from emulator.trouble import TroubleBook

log = logging.getLogger(__name__)

KIND = "Endpoint"

CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. "
    "Please retry using a different ML instance type or after some time."
)
"""The service's words (docs/quirks.md)."""

LOST = "InternalServerError: its servers did not come back when Sagelet was started. Delete it and create it again."

PROVISIONING = {
    life.Phase.CREATING: "CreateEndpoint",
    life.Phase.UPDATING: "UpdateEndpoint",
    life.Phase.SCALING: "UpdateEndpointWeightsAndCapacities",
}
"""When an endpoint needs instances that it has not had, and because of which operation."""


class Records(plans.Records, Protocol):
    """What this room needs of `emulator.resources.Resources`."""

    def find(self, kind: str, scope: Scope, key: str) -> Record | None:
        """The record, or None."""
        ...

    def change(self, kind: str, scope: Scope, key: str, edit: Callable[[Record], Record]) -> Record:
        """Edit a record in one transaction."""
        ...

    def remove(self, kind: str, scope: Scope, key: str) -> None:
        """Delete a record."""
        ...

    def unsettled(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        """All records of a kind with one of these statuses."""
        ...


class HostEngine:
    """Keeps every endpoint's servers in the state that its record asks for, and routes invocations to them."""

    def __init__(
        self, records: Records, servers: Servers, clock: Clock, settings: Settings, trouble: Trouble | None = None
    ) -> None:
        self._records = records
        self._trouble = trouble or TroubleBook()
        self._servers = servers
        self._clock = clock
        self._settings = settings
        self._router = Router(settings.invoke_timeout)
        self._fleets = Fleets()
        self._returning = Returning()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="hosts")
        self._closing = False

    # --- asked by behaviours ------------------------------------------------------------------------------------

    def post(self, scope: Scope, name: str, event: life.Event, edit: Callable[[Record], Record] | None = None) -> None:
        """Take one step: write the record (with `edit` applied before), then carry the effects out in the pool.

        `Validation` when the endpoint is in no state to be asked this.
        """
        effects: tuple[life.Effect, ...] = ()

        def change(record: Record) -> Record:
            nonlocal effects
            endpoint = endpoint_of(record)
            if isinstance(event, life.UpdateAsked | life.ScaleAsked | life.DeleteAsked):
                _refuse(record, endpoint, type(event))
            after, effects = life.step(endpoint, event)
            return with_endpoint(edit(record) if edit else record, after, effects)

        self._records.change(KIND, scope, name, change)
        for effect in effects:
            self._carry_out(scope, name, effect)

    def invoke(self, request: InvokeRequest) -> Invoked:
        """Answer an invocation; `ValidationError` when there is no such endpoint in service."""
        return self._router.invoke(self._route(request), request)

    def invoke_stream(self, request: InvokeRequest) -> Invoked:
        """Answer an invocation whose body is passed on as it comes."""
        return self._router.invoke_stream(self._route(request), request)

    def recover(self) -> None:
        """After a start: bring every endpoint back that was not deleted."""
        for record in self._records.unsettled(KIND, ("Creating", "Updating", "InService", "Deleting")):
            if endpoint_of(record).live and record.status != "Deleting":
                self._returning.expect((record.scope, record.key))
            self.post(record.scope, record.key, life.Restarted())

    def forget(self, extent: Extent) -> None:
        """End every server of a part of the house at once. The records are the caller's to delete, who calls again
        then: an endpoint may have been begun in between."""
        fleets = self._fleets.take_covered(extent)
        self._returning.release_all(extent)
        for fleet in fleets:
            fleet.close(drain=False, grace=0.0)

    def close(self) -> None:
        """End every server; the records stay, and the next start brings the endpoints back."""
        self._closing = True
        self._returning.release_all()
        for fleet in self._fleets.all():
            fleet.close(drain=False)
        self._pool.shutdown(wait=True, cancel_futures=True)

    # --- effects ------------------------------------------------------------------------------------------------

    def _carry_out(self, scope: Scope, name: str, effect: life.Effect) -> None:
        match effect:
            case life.RouteTo(generation):
                self._fleets.route((scope, name), generation)
            case life.Remove():
                self._records.remove(KIND, scope, name)
            case life.StartFleet() | life.StopFleet() | life.StopAll() | life.Rescale():
                if not self._closing:
                    self._pool.submit(self._guarded, scope, name, effect)

    def _guarded(self, scope: Scope, name: str, effect: life.Effect) -> None:
        try:
            match effect:
                case life.StartFleet(generation, config):
                    self._start(scope, name, generation, config)
                case life.StopFleet(generation):
                    self._stop(scope, name, generation)
                case life.StopAll():
                    self._stop_all(scope, name)
                case life.Rescale(generation):
                    self._rescale(scope, name, generation)
        except CallerFault:
            log.info("endpoint %s was deleted before %s", name, effect)
        except Exception:
            if not self._closing:
                log.exception("endpoint %s: %s", name, effect)

    def _start(self, scope: Scope, name: str, generation: int, config: str) -> None:
        record = self._records.get(KIND, scope, name)
        reason = ""
        fleet: Fleet | None = None
        try:
            wanted = plans.variants(self._records, scope, config, _desired(record, generation))
            self._provision(record, generation)
            fleet = Fleet(self._servers, wanted, self._settings.start_timeout, self._maker(record, generation))
            self._fleets.put((scope, name), generation, fleet)
            fleet.start(instances.known(record, generation, wanted, self._settings.data_dir))
        except FleetFailure as failure:
            reason = str(failure)
        except SageletError as fault:
            reason = f"ClientError: {fault}"
        if self._closing or self._is_of_the_past(record, generation, fleet):
            self._return(record, generation, None)
            return
        if reason:
            if fleet is not None:
                self._fleets.forget((scope, name), generation, fleet)
            self._return(record, generation, None)
            self.post(scope, name, life.FleetFailed(generation, reason))
            return
        self._return(record, generation, fleet)
        now = self._clock.now()
        self.post(scope, name, life.FleetUp(generation), lambda r: described(r, generation, wanted, now))

    def _return(self, record: Record, generation: int, fleet: Fleet | None) -> None:
        """Let invocations go on that found an endpoint of a former life; without a fleet they learn that it is gone."""
        key = (record.scope, record.key)
        if generation != endpoint_of(record).live:
            return
        if fleet is not None:
            self._fleets.route_first(key, generation, fleet)
        self._returning.release(key)

    def _stop(self, scope: Scope, name: str, generation: int) -> None:
        if fleet := self._fleets.take((scope, name), generation):
            fleet.close()
        if self._records.find(KIND, scope, name):
            self._records.change(KIND, scope, name, lambda r: instances.removed(r, generation))

    def _stop_all(self, scope: Scope, name: str) -> None:
        fleets = self._fleets.take_all((scope, name))
        self._returning.release((scope, name))
        for fleet in fleets:
            fleet.close()
        record = self._records.get(KIND, scope, name)
        if not fleets:
            self._end_orphans(record)
        self.post(scope, name, life.FleetGone())

    def _rescale(self, scope: Scope, name: str, generation: int) -> None:
        if self._returning.expects((scope, name)):
            return  # it is asked again when the servers of a former life are there
        record = self._records.get(KIND, scope, name)
        config = endpoint_of(record).config
        wanted = plans.variants(self._records, scope, config, _desired(record, generation))
        reason = ""
        try:
            self._provision(record, generation)
            fleet = self._fleets.find((scope, name), generation)
            if fleet is None:
                raise FleetFailure(LOST)
            fleet.rescale(wanted)
        except FleetFailure as failure:
            reason = str(failure)
        if self._closing:
            return  # the next start goes on with it
        now = self._clock.now()

        def settle(current: Record) -> Record:
            return resting(current) if reason else described(current, generation, wanted, now)

        self.post(scope, name, life.Scaled(reason), settle)

    def _is_of_the_past(self, record: Record, generation: int, fleet: Fleet | None) -> bool:
        """Whether an endpoint was forgotten while its fleet was started; another one may have its name by now."""
        current, key = self._records.find(KIND, record.scope, record.key), (record.scope, record.key)
        kept = fleet is None or self._fleets.holds(key, generation, fleet)
        if kept and current is not None and current.created == record.created:
            return False
        if fleet is not None:
            self._fleets.forget(key, generation, fleet)
            fleet.close(drain=False, grace=0.0)
        return True

    def _provision(self, record: Record, generation: int) -> None:
        """`FleetFailure` when there is to be no instance for it."""
        endpoint = endpoint_of(record)
        operation = PROVISIONING.get(endpoint.phase)
        wanted = generation == endpoint.pending or endpoint.phase is life.Phase.SCALING
        if operation and wanted and self._trouble.strike("capacity", operation, record.scope, record.key):
            raise FleetFailure(CAPACITY)

    # --- servers and their records ------------------------------------------------------------------------------

    def _maker(self, record: Record, generation: int) -> Callable[..., tuple[str, ServerSpec]]:
        def make(variant: plans.VariantPlan, replaced: str = "") -> tuple[str, ServerSpec]:
            instance = instances.new(variant, generation)
            self._records.change(KIND, record.scope, record.key, lambda r: instances.added(r, instance, replaced))
            return instance["instance"], instances.server(record, variant, instance, self._settings.data_dir)

        return make

    def _end_orphans(self, record: Record) -> None:
        """Servers of a former life of the house, of an endpoint that is being deleted."""
        for spec in instances.all_servers(record, self._settings.data_dir):
            if server := self._servers.adopt(spec):
                server.stop()

    def _route(self, request: InvokeRequest) -> Fleet:
        key = (request.scope, request.endpoint)
        fleet = self._fleets.asked(key)
        if fleet is None:
            self._returning.wait(key, self._settings.invoke_timeout)
            fleet = self._fleets.asked(key)
        if fleet is None:
            raise not_found(request.scope, request.endpoint)
        return fleet


def _refuse(record: Record, endpoint: life.Endpoint, event: type) -> None:
    if not life.allowed(endpoint, event):
        raise Validation(f'Cannot update in-progress endpoint "{record.arn}".')


def _desired(record: Record, generation: int) -> plans.Desired:
    desired: plans.Desired = (record.hidden.get("desired") or {}).get(str(generation), {})
    return desired
