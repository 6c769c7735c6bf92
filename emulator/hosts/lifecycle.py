"""The life of an endpoint, as a pure function: `step(endpoint, event) -> (endpoint, effects)`. No I/O.

A *generation* is one fleet of servers made from one endpoint configuration. An update starts the next generation
beside the live one and moves the traffic when all of it is healthy, so that no request is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from emulator.errors import HouseFault


class Phase(Enum):
    """Where an endpoint is in its life; the value is the `EndpointStatus` that clients see."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    UPDATING = "Updating"
    SCALING = "Scaling"
    """Weights or counts change; clients see `Updating`."""
    FAILED = "Failed"
    DELETING = "Deleting"
    GONE = ""

    @property
    def status(self) -> str:
        """The word of the API."""
        return "Updating" if self is Phase.SCALING else self.value


TERMINAL = frozenset({Phase.GONE})


@dataclass(frozen=True)
class Endpoint:
    """What decides the next step: the phase, the generation that takes traffic (`live`), the one that is being
    started (`pending`), and the number that was given last (`last`: numbers are never given twice)."""

    phase: Phase
    config: str
    live: int = 0
    pending: int = 0
    pending_config: str = ""
    last: int = 0


# --- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CreateAsked:
    """CreateEndpoint was accepted."""


@dataclass(frozen=True)
class UpdateAsked:
    """UpdateEndpoint to another configuration was accepted."""

    config: str


@dataclass(frozen=True)
class ScaleAsked:
    """UpdateEndpointWeightsAndCapacities was accepted."""


@dataclass(frozen=True)
class FleetUp:
    """Every server of a generation is healthy."""

    generation: int


@dataclass(frozen=True)
class FleetFailed:
    """A server of a generation could not come up."""

    generation: int
    reason: str


@dataclass(frozen=True)
class Scaled:
    """The live generation has the weights and counts asked for; `reason` says why not, when it has not."""

    reason: str = ""


@dataclass(frozen=True)
class DeleteAsked:
    """DeleteEndpoint was accepted."""


@dataclass(frozen=True)
class FleetGone:
    """All servers of the endpoint have ended."""


@dataclass(frozen=True)
class Restarted:
    """The house was started anew and finds this endpoint in its records."""


Event = CreateAsked | UpdateAsked | ScaleAsked | FleetUp | FleetFailed | Scaled | DeleteAsked | FleetGone | Restarted

# --- effects ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StartFleet:
    """Start (or adopt) all servers of a generation."""

    generation: int
    config: str


@dataclass(frozen=True)
class RouteTo:
    """Send the traffic to a generation from now on."""

    generation: int


@dataclass(frozen=True)
class StopFleet:
    """Let a generation finish its requests and end it."""

    generation: int


@dataclass(frozen=True)
class Rescale:
    """Bring the live generation to the desired weights and counts."""

    generation: int


@dataclass(frozen=True)
class StopAll:
    """End every generation, then report FleetGone."""


@dataclass(frozen=True)
class Explain:
    """Keep a reason for clients to read; an empty one clears it."""

    reason: str


@dataclass(frozen=True)
class Remove:
    """Delete the record."""


Effect = StartFleet | RouteTo | StopFleet | Rescale | StopAll | Explain | Remove
Step = tuple[Endpoint, tuple[Effect, ...]]


def _create(endpoint: Endpoint, event: CreateAsked) -> Step:
    first = endpoint.last + 1
    after = replace(endpoint, pending=first, pending_config=endpoint.config, last=first)
    return after, (StartFleet(first, endpoint.config),)


def _up(endpoint: Endpoint, event: FleetUp) -> Step:
    if event.generation != endpoint.pending:
        return endpoint, ()
    after = replace(
        endpoint,
        phase=Phase.IN_SERVICE,
        config=endpoint.pending_config,
        live=endpoint.pending,
        pending=0,
        pending_config="",
    )
    retire: tuple[Effect, ...] = (StopFleet(endpoint.live),) if endpoint.live else ()
    return after, (RouteTo(after.live), Explain(""), *retire)


def _create_failed(endpoint: Endpoint, event: FleetFailed) -> Step:
    after = replace(endpoint, phase=Phase.FAILED, pending=0, pending_config="")
    return after, (StopFleet(event.generation), Explain(event.reason))


def _update(endpoint: Endpoint, event: UpdateAsked) -> Step:
    new = endpoint.last + 1
    after = replace(endpoint, phase=Phase.UPDATING, pending=new, pending_config=event.config, last=new)
    return after, (StartFleet(new, event.config),)


def _update_failed(endpoint: Endpoint, event: FleetFailed) -> Step:
    if event.generation != endpoint.pending:
        return endpoint, ()
    after = replace(endpoint, phase=Phase.IN_SERVICE, pending=0, pending_config="")
    return after, (StopFleet(event.generation), Explain(event.reason))


def _scale(endpoint: Endpoint, event: ScaleAsked) -> Step:
    return replace(endpoint, phase=Phase.SCALING), (Rescale(endpoint.live),)


def _scaled(endpoint: Endpoint, event: Scaled) -> Step:
    return replace(endpoint, phase=Phase.IN_SERVICE), (Explain(event.reason),)


def _delete(endpoint: Endpoint, event: DeleteAsked) -> Step:
    return replace(endpoint, phase=Phase.DELETING, pending=0, pending_config=""), (StopAll(),)


def _gone(endpoint: Endpoint, event: FleetGone) -> Step:
    return replace(endpoint, phase=Phase.GONE, live=0), (Remove(),)


def _stay(endpoint: Endpoint, event: object) -> Step:
    return endpoint, ()


def _restart_pending(endpoint: Endpoint, event: Restarted) -> Step:
    """The generation that takes traffic comes back first, then the one that was being started.

    No traffic is sent anywhere here: there are no servers yet. It goes to what was in service as soon as that is back.
    """
    if not endpoint.pending:
        return _create(endpoint, CreateAsked())
    effects: tuple[Effect, ...] = (StartFleet(endpoint.pending, endpoint.pending_config),)
    if endpoint.live:
        effects = (StartFleet(endpoint.live, endpoint.config), *effects)
    return endpoint, effects


def _restart_live(endpoint: Endpoint, event: Restarted) -> Step:
    return endpoint, (StartFleet(endpoint.live, endpoint.config),)


def _scale_now(endpoint: Endpoint, event: FleetUp) -> Step:
    """The servers of a former life of the house are there; before, there was nothing to scale."""
    return endpoint, (Rescale(endpoint.live),)


def _not_scaled(endpoint: Endpoint, event: FleetFailed) -> Step:
    return replace(endpoint, phase=Phase.IN_SERVICE), (Explain(event.reason),)


def _restart_deleting(endpoint: Endpoint, event: Restarted) -> Step:
    return endpoint, (StopAll(),)


P = Phase
TABLE: dict[tuple[Phase, type], Callable[..., Step]] = {
    (P.CREATING, CreateAsked): _create,
    (P.CREATING, FleetUp): _up,
    (P.CREATING, FleetFailed): _create_failed,
    (P.CREATING, Restarted): _restart_pending,
    (P.IN_SERVICE, UpdateAsked): _update,
    (P.IN_SERVICE, ScaleAsked): _scale,
    (P.IN_SERVICE, DeleteAsked): _delete,
    (P.IN_SERVICE, Restarted): _restart_live,
    (P.IN_SERVICE, FleetUp): _stay,
    (P.IN_SERVICE, FleetFailed): _stay,
    (P.UPDATING, FleetUp): _up,
    (P.UPDATING, FleetFailed): _update_failed,
    (P.UPDATING, Restarted): _restart_pending,
    (P.SCALING, Scaled): _scaled,
    (P.SCALING, Restarted): _restart_live,
    (P.SCALING, FleetUp): _scale_now,
    (P.SCALING, FleetFailed): _not_scaled,
    (P.FAILED, DeleteAsked): _delete,
    (P.FAILED, Restarted): _stay,
    (P.DELETING, FleetGone): _gone,
    (P.DELETING, FleetUp): _stay,
    (P.DELETING, FleetFailed): _stay,
    (P.DELETING, Scaled): _stay,
    (P.DELETING, Restarted): _restart_deleting,
}
del P


def allowed(endpoint: Endpoint, event: type) -> bool:
    """Whether the table knows what to do; what a caller may not ask now is refused before it becomes an event."""
    return (endpoint.phase, event) in TABLE


def step(endpoint: Endpoint, event: Event) -> Step:
    """The endpoint after `event`, and what must be done about it."""
    if endpoint.phase in TERMINAL:
        return endpoint, ()
    try:
        transition = TABLE[endpoint.phase, type(event)]
    except KeyError:
        raise HouseFault(f"an endpoint in {endpoint.phase.name} cannot take {event}", (repr(endpoint),)) from None
    return transition(endpoint, event)
