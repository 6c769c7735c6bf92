"""Which job may start, and what it may use: needs, the machine, the line of those that wait. Pure: no threads, no I/O.

First come, first served: who does not fit yet is overtaken by nobody, so that a large job starts as surely as a small
one. What is set aside for a job, and why: docs/adr/0009-scheduler.md.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from emulator.jobs import instances
from emulator.jobs.instances import GIB
from emulator.ports import Share
from emulator.settings import Settings
from emulator.store.records import Record

Key = TypeVar("Key", bound=Hashable)

FEWEST_AT_ONCE = 4
"""Jobs that may run at once on the smallest machine, when `max_jobs` does not say."""


@dataclass(frozen=True)
class Machine:
    """What there is for jobs: cores, bytes of memory, NVIDIA devices."""

    cpus: float
    memory: int
    gpus: int = 0


@dataclass(frozen=True)
class Need:
    """What is set aside for a job while it is under way."""

    cpus: float = 0.0
    memory: int = 0
    gpus: int = 0

    def __add__(self, other: Need) -> Need:
        return Need(self.cpus + other.cpus, self.memory + other.memory, self.gpus + other.gpus)

    def within(self, room: Need) -> bool:
        """Whether this fits into `room`."""
        return self.cpus <= room.cpus and self.memory <= room.memory and self.gpus <= room.gpus

    def cut_to(self, room: Need) -> Need:
        """As much of this as `room` has."""
        return Need(min(self.cpus, room.cpus), min(self.memory, room.memory), min(self.gpus, room.gpus))


# --- what a job needs and gets ----------------------------------------------------------------------------------


def hosts(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The instance type of each host of a job, from its request or its Describe members."""
    if body.get("TransformResources"):
        # One model server does the work of all instances.
        return (body["TransformResources"]["InstanceType"],)
    config = body.get("ResourceConfig") or (body.get("ProcessingResources") or {}).get("ClusterConfig") or {}
    groups = config.get("InstanceGroups") or [_single(config)]
    return tuple(group["InstanceType"] for group in groups for _ in range(group["InstanceCount"]))


def _single(config: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster of one type: the one that was asked for, else the first that is preferred."""
    preferred = (config.get("InstancePreferences") or [{}])[0]
    name = config.get("InstanceType") or preferred.get("InstanceType") or ""
    return {"InstanceType": name, "InstanceCount": config.get("InstanceCount") or preferred.get("InstanceCount") or 1}


def need(body: Mapping[str, Any], machine: Machine, settings: Settings) -> Need:
    """What is set aside for a job: the sum over its hosts."""
    total = Need()
    for name in hosts(body):
        kind = instances.find(name)
        memory = min(int(settings.host_memory * GIB), kind.memory)
        # An engine hands out its first devices, so two jobs with devices would get the same ones.
        gpus = machine.gpus if settings.gpu == "devices" and kind.nvidia else 0
        total += Need(min(kind.cpus, machine.cpus), memory, gpus)
    return total


def room(machine: Machine, settings: Settings) -> Need:
    """What may be set aside at the same time. Cores are promised several times over: that costs time, not jobs."""
    return Need(machine.cpus * settings.cpu_factor, machine.memory, machine.gpus)


def at_once(machine: Machine, settings: Settings) -> int:
    """How many jobs may be under way, each of which has a thread."""
    return settings.max_jobs if settings.max_jobs > 0 else max(FEWEST_AT_ONCE, int(2 * machine.cpus))


def share(name: str, machine: Machine, gpus: bool = False) -> Share:
    """The limits of one host: what its instance type has, or the machine, if that is less. Devices only on request."""
    kind = instances.find(name)
    devices = min(kind.gpus, machine.gpus) if gpus and kind.nvidia else 0
    return Share(min(float(kind.cpus), machine.cpus), min(kind.memory, machine.memory), devices)


def scaled(name: str, machine: Machine) -> str:
    """The sentence for the log when a host gets less than its instance type has; else empty."""
    kind, given = instances.find(name), share(name, machine)
    if given.cpus >= kind.cpus and given.memory >= kind.memory:
        return ""
    return (
        f"{name} has {kind.cpus} vCPU and {_gib(kind.memory)} GiB; "
        f"this machine gives {given.cpus:g} and {_gib(given.memory)}."
    )


def pending_until(record: Record) -> float | None:
    """When a job that waits is given up: MaxPendingTimeInSeconds counts for accelerated types only, and anew when the
    job was interrupted and waits again."""
    limit = (record.body.get("StoppingCondition") or {}).get("MaxPendingTimeInSeconds")
    if not limit or not any(instances.find(name).gpus for name in hosts(record.body)):
        return None
    transitions = record.body.get("SecondaryStatusTransitions") or [{"StartTime": record.created}]
    return float(transitions[-1]["StartTime"]) + float(limit)


def _gib(count: int) -> str:
    return f"{count / GIB:.3g}" if count < 10 * GIB else f"{count / GIB:.0f}"


# --- the line ---------------------------------------------------------------------------------------------------


class Line(Generic[Key]):
    """Who waits, in order, and what is set aside for those who do not. The caller keeps threads apart."""

    def __init__(self, room: Need, at_once: int) -> None:
        self._room = room
        self._at_once = at_once
        self._waiting: OrderedDict[Key, Need] = OrderedDict()
        self._held: dict[Key, Need] = {}

    def join(self, key: Key, need: Need) -> None:
        """Wait at the end of the line, with nothing set aside. More than the whole machine is cut to it, so that
        everything can run some time."""
        self.give_back(key)
        self._waiting[key] = need.cut_to(self._room)

    def leave(self, key: Key) -> None:
        """Wait no longer."""
        self._waiting.pop(key, None)

    def forget(self, forgotten: Callable[[Key], bool]) -> None:
        """Send some of those that wait home."""
        for key in [key for key in self._waiting if forgotten(key)]:
            del self._waiting[key]

    def clear(self) -> None:
        """Send all home."""
        self._waiting.clear()

    def next(self) -> Key | None:
        """The first in the line, if it fits now; its need is set aside from here on."""
        if not self._waiting or len(self._held) >= self._at_once:
            return None
        key, need = next(iter(self._waiting.items()))
        if not sum(self._held.values(), need).within(self._room):
            return None
        del self._waiting[key]
        self._held[key] = need
        return key

    def take(self, key: Key, need: Need) -> None:
        """Set something aside without asking: for what a former life of the house had started."""
        self._held[key] = need.cut_to(self._room)

    def give_back(self, key: Key) -> None:
        """What was set aside is free again."""
        self._held.pop(key, None)

    def waits(self, key: Key) -> bool:
        """Whether this one still waits."""
        return key in self._waiting

    def __bool__(self) -> bool:
        return bool(self._waiting)
