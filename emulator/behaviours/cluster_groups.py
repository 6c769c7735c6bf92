"""Instance groups and nodes of a cluster as values: what a request makes of them, and what they are at a moment.

Nothing works for a node. It is `Pending` for as long as a status takes that moves by itself, then `Running`; one that
is taken away is `ShuttingDown` for as long, then gone. That follows from the times alone: a restart changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from emulator import ids
from emulator.behaviours.rooms import Rooms
from emulator.resources import making

if TYPE_CHECKING:
    from botocore.model import Shape

KIND = "Cluster"
RENAMED = {"InstanceCount": "TargetCount", "MinInstanceCount": "MinCount"}
KEPT = 500
"""Events, and as many operations, that a cluster remembers: the oldest are dropped."""


@dataclass(frozen=True)
class Moment:
    """A time, and how long what moves by itself is on its way."""

    now: float
    pace: float

    def past(self, since: float) -> bool:
        """Whether what set out at a time has arrived."""
        return self.now >= since + self.pace


def moment(rooms: Rooms) -> Moment:
    """Now, at the pace of statuses that move by themselves."""
    return Moment(round(rooms.clock.now(), 3), rooms.settings.settle_seconds)


@dataclass(frozen=True)
class Node:
    """One instance. `gone`: when it was taken away, or 0."""

    number: int
    group: str
    instance: str
    logical: str
    kind: str
    made: float
    gone: float = 0.0

    def status(self, at: Moment) -> str:
        """Its status, or "" when it is no longer there."""
        if self.gone:
            return "" if at.past(self.gone) else "ShuttingDown"
        return "Running" if at.past(self.made) else "Pending"


@dataclass(frozen=True)
class Group:
    """An instance group. `shown` are its members of Describe, but for counts and status."""

    name: str
    shown: Mapping[str, Any]
    target: int
    restricted: bool
    made: float
    changed: float
    gone: float = 0.0

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its instance types; the first is the one that its nodes get."""
        flexible = self.shown.get("InstanceRequirements") or {}
        return tuple(flexible.get("DesiredInstanceTypes") or (self.shown.get("InstanceType", ""),))

    def counts(self) -> dict[str, int]:
        """What a scaling operation tells of it."""
        least = self.shown.get("MinCount")
        return {"TargetCount": self.target, **({} if least is None else {"MinCount": least})}


@dataclass(frozen=True)
class Fleet:
    """All groups and nodes of a cluster, and what happened to them."""

    groups: tuple[Group, ...] = ()
    nodes: tuple[Node, ...] = ()
    count: int = 0
    operations: tuple[Mapping[str, Any], ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    continuous: bool = False
    asked: Mapping[str, Any] = field(default_factory=dict)
    """Tokens of BatchAddClusterNodes, each with the request's fingerprint and the nodes that it made."""

    def group(self, name: str) -> Group | None:
        """The group of a name that is not being deleted."""
        return next((group for group in self.groups if group.name == name and not group.gone), None)

    def alive(self, name: str) -> list[Node]:
        """The nodes of a group that are not being taken away, oldest first."""
        return [node for node in self.nodes if node.group == name and not node.gone]


def load(hidden: Mapping[str, Any]) -> Fleet:
    """The fleet of a record."""
    kept = hidden.get("fleet") or {}
    return Fleet(
        tuple(Group(**group) for group in kept.get("groups", ())),
        tuple(Node(*node) for node in kept.get("nodes", ())),
        kept.get("count", 0),
        tuple(kept.get("operations", ())),
        tuple(kept.get("events", ())),
        kept.get("continuous", False),
        kept.get("asked", {}),
    )


def save(fleet: Fleet) -> dict[str, Any]:
    """A fleet as the store keeps it."""
    return {
        "groups": [dict(group.__dict__) for group in fleet.groups],
        "nodes": [list(node.__dict__.values()) for node in fleet.nodes],
        "count": fleet.count,
        "operations": list(fleet.operations[-KEPT:]),
        "events": list(fleet.events[-KEPT:]),
        "continuous": fleet.continuous,
        "asked": dict(fleet.asked),
    }


def settled(fleet: Fleet, at: Moment) -> Fleet:
    """A fleet without what has gone by a moment."""
    return replace(
        fleet,
        groups=tuple(group for group in fleet.groups if not group.gone or not at.past(group.gone)),
        nodes=tuple(node for node in fleet.nodes if node.status(at)),
    )


def described(shape: Shape, value: Any) -> Any:
    """A specification as Describe shows it: what may differ while it changes is shown as it is and as it is wanted."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        found = {}
        for given, item in value.items():
            name = RENAMED.get(given, given)
            for member in (name, f"Current{name}", f"Desired{name}"):
                if member in shape.members and item is not None:
                    found[member] = described(shape.members[member], item)
        return found
    if shape.type_name == "list" and isinstance(value, (list, tuple)):
        return [described(shape.member, item) for item in value]
    return making.plain(value)


def made(shape: Shape, spec: Mapping[str, Any], restricted: bool, now: float) -> Group:
    """The group that a specification asks for."""
    shown = described(shape, spec)
    target = shown.pop("TargetCount")
    return Group(str(spec["InstanceGroupName"]), shown, target, restricted, now, now)


def put(fleet: Fleet, group: Group) -> Fleet:
    """A fleet with a group in the place of the one of its name, or behind the others."""
    there = fleet.group(group.name)
    if there is None:
        return replace(fleet, groups=(*fleet.groups, group))
    return replace(fleet, groups=tuple(group if old is there else old for old in fleet.groups))


def scaled(fleet: Fleet, name: str, target: int, now: float, going: Sequence[Node] = ()) -> Fleet:
    """A fleet whose group has a number of nodes: new ones, or without `going`, or without the newest ones."""
    group = fleet.group(name)
    assert group is not None
    alive = fleet.alive(name)
    leaving = {node.number for node in (going or alive[max(target, 0) :])}
    nodes = [replace(node, gone=now) if node.number in leaving else node for node in fleet.nodes]
    fresh = [new_node(fleet, group, number, now) for number in range(target - len(alive) + len(leaving))]
    fleet = put(fleet, replace(group, target=target, changed=now))
    return replace(fleet, nodes=(*nodes, *fresh), count=fleet.count + len(fresh))


def new_node(fleet: Fleet, group: Group, number: int, now: float) -> Node:
    """A node of a group. Instances of clusters that provision continuously have a logical id as well."""
    logical = f"node-{ids.hex_id(17)}" if fleet.continuous else ""
    return Node(fleet.count + number, group.name, f"i-{secrets.token_hex(9)[:17]}", logical, group.kinds[0], now)


def removed(fleet: Fleet, name: str, now: float) -> Fleet:
    """A fleet whose group is being deleted, with its nodes."""
    fleet = scaled(fleet, name, 0, now)
    group = fleet.group(name)
    assert group is not None
    return put(fleet, replace(group, gone=now))


def shown_groups(fleet: Fleet, at: Moment, status: str, restricted: bool) -> list[dict[str, Any]]:
    """The groups as Describe shows them at a moment, in a cluster of a status."""
    groups = [group for group in settled(fleet, at).groups if group.restricted == restricted]
    return [_shown_group(fleet, group, at, status) for group in groups]


def _shown_group(fleet: Fleet, group: Group, at: Moment, status: str) -> dict[str, Any]:
    nodes = [node.status(at) for node in fleet.nodes if node.group == group.name]
    running = nodes.count("Running") + nodes.count("ShuttingDown")
    shown = {**group.shown, "CurrentCount": running, "TargetCount": group.target}
    shown["Status"] = _group_status(fleet, group, at, status)
    if {"Pending", "ShuttingDown"} & set(nodes) and not group.restricted:
        shown["ActiveOperations"] = {"Scaling": 1}
    if len(group.kinds) > 1:
        details = {"InstanceType": group.kinds[0], "CurrentCount": running}
        cores = group.shown.get("ThreadsPerCore")
        shown["InstanceTypeDetails"] = [{**details, **({} if cores is None else {"ThreadsPerCore": cores})}]
    return shown


def _group_status(fleet: Fleet, group: Group, at: Moment, status: str) -> str:
    if group.gone or status == "Deleting":
        return "Deleting"
    if not at.past(group.made):
        return "Creating"
    if status == "SystemUpdating":
        return status
    return "Updating" if not at.past(group.changed) and not fleet.continuous else "InService"
