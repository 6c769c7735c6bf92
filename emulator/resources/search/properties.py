"""Properties: what a name in a search means for a resource, read from the model, and how its values are read. Pure.

A name is a path into the resource's member of SearchRecord. Behind a map stands the rest of the name as its key, which
may have dots; so it is with tags, metrics and other lists whose elements have a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import TYPE_CHECKING, Any

from emulator.errors import Validation

if TYPE_CHECKING:
    from botocore.model import Shape


class Values(Enum):
    """What the values of a property are compared as."""

    TEXT = auto()
    NUMBER = auto()
    TIME = auto()
    BOOLEAN = auto()
    LOOSE = auto()
    """Texts under a key of the caller's own: tags, variables. Greater and less compare those that read as numbers."""
    DECIMAL = auto()
    """Hyperparameters: numbers where they read so, whole ones where the other side is whole (API_Filter)."""
    MIXED = auto()
    """Parameters of trial components, which are texts or numbers."""
    PARTS = auto()
    """A structure or list: the texts of all that is in it."""
    ENTRIES = auto()
    """A map: its keys too."""


SCALARS = {
    "boolean": Values.BOOLEAN,
    "timestamp": Values.TIME,
    **dict.fromkeys(("integer", "long", "float", "double"), Values.NUMBER),
}
PAIR = ("Key", "Value")
"""The members of the elements of a list that is a map in truth, such as tags."""

METRIC = "MetricName"
STATISTICS = {name.lower(): name for name in ("Min", "Max", "Last", "Count", "Avg", "StdDev")}


@dataclass(frozen=True)
class Member:
    """A member of a structure."""

    name: str

    def into(self, value: Any) -> Iterator[Any]:
        """What the step leads to."""
        if isinstance(value, Mapping):
            yield value.get(self.name)


@dataclass(frozen=True)
class Each:
    """The elements of a list."""

    def into(self, value: Any) -> Iterator[Any]:
        """What the step leads to."""
        if isinstance(value, (list, tuple)):
            yield from value


@dataclass(frozen=True)
class Named:
    """A member of the elements of a list that have a name."""

    by: str
    name: str
    member: str

    def into(self, value: Any) -> Iterator[Any]:
        """What the step leads to."""
        for element in value if isinstance(value, (list, tuple)) else ():
            if element.get(self.by) == self.name:
                yield element.get(self.member)


@dataclass(frozen=True)
class Entry:
    """The value of a key of a map."""

    key: str

    def into(self, value: Any) -> Iterator[Any]:
        """What the step leads to."""
        if isinstance(value, Mapping):
            yield value.get(self.key)


Step = Member | Each | Named | Entry


@dataclass(frozen=True)
class Property:
    """A property of a resource. `ways` are the paths to its values: a parameter has them in two members."""

    name: str
    kind: Values
    ways: tuple[tuple[Step, ...], ...]

    @cached_property
    def head(self) -> str:
        """The member of the resource in which the values are."""
        step = self.ways[0][0]
        return step.name if isinstance(step, Member) else ""

    def values(self, body: Mapping[str, Any]) -> Iterator[Any]:
        """The values in a body: never None, and nothing that is empty."""
        for way in self.ways:
            found: list[Any] = [body]
            for step in way:
                found = [inner for outer in found for inner in step.into(outer) if inner is not None]
            yield from (value for value in found if value != {} and value != [])


class Unknown(Exception):
    """A name is no property."""


@dataclass(frozen=True)
class _Path:
    """What was read of a name so far: the steps, and the name as the model spells it."""

    steps: tuple[Step, ...] = ()
    names: tuple[str, ...] = ()

    def to(self, step: Step, *names: str) -> _Path:
        return _Path((*self.steps, step), (*self.names, *names))

    def property(self, kind: Values, *others: tuple[Step, ...]) -> Property:
        return Property(".".join(self.names), kind, (self.steps, *others))


def resolve(shape: Shape, name: str) -> Property:
    """The property of a name, `Validation` when there is none. Names of members are known in any case of letters."""
    try:
        return _into(shape, name.split("."), _Path())
    except Unknown:
        raise Validation(f"Unknown property name: {name}") from None


def elements(shape: Shape, name: str) -> tuple[Property, Shape]:
    """The property that a nested filter names, which must be a list, and the shape of its elements."""
    found, inner = resolve(shape, name), shape
    for step in found.ways[0]:
        if isinstance(step, Member):
            inner = inner.members[step.name]
        elif isinstance(step, Each):
            inner = inner.member
    plain = all(isinstance(step, Member | Each) for step in found.ways[0])
    if not plain or inner.type_name != "list" or inner.member.type_name != "structure":
        raise Validation(f"{name} is not a list of structures: it cannot be the NestedPropertyName of a nested filter.")
    return Property(found.name, Values.PARTS, tuple((*way, Each()) for way in found.ways)), inner.member


def _into(shape: Shape, rest: list[str], path: _Path) -> Property:
    if shape.type_name == "structure":
        return _into_structure(shape, rest, path)
    if shape.type_name == "list":
        return _into_list(shape, rest, path)
    if shape.type_name == "map":
        return _into_map(shape, rest, path)
    if rest:
        raise Unknown
    return path.property(SCALARS.get(shape.type_name, Values.TEXT))


def _into_structure(shape: Shape, rest: list[str], path: _Path) -> Property:
    if not rest:
        return path.property(Values.PARTS)
    name = member_of(shape, rest[0])
    return _into(shape.members[name], rest[1:], path.to(Member(name), name))


def member_of(shape: Shape, name: str) -> str:
    """The name of a member as the model spells it; `Unknown` when there is none."""
    if name in shape.members:
        return name
    found: list[str] = [known for known in shape.members if known.lower() == name.lower()]
    if not found:
        raise Unknown
    return found[0]


def _into_list(shape: Shape, rest: list[str], path: _Path) -> Property:
    if not rest:
        return path.property(Values.PARTS)
    element = shape.member
    members = tuple(element.members) if element.type_name == "structure" else ()
    if members == PAIR:
        key = ".".join(rest)
        return path.to(Named("Key", key, "Value"), key).property(Values.LOOSE)
    if METRIC in members and (rest[1:] or rest[0] not in members):
        return _metric(members, rest, path)
    return _into(element, rest, path.to(Each()))


def _metric(members: tuple[str, ...], rest: list[str], path: _Path) -> Property:
    """`Metrics.auc`, and of trial components `Metrics.auc.max` as well: without a statistic it is the last value."""
    name, plain = ".".join(rest), "Value" if "Value" in members else "Last"
    statistic = STATISTICS.get(rest[-1].lower()) if len(rest) > 1 else None
    if statistic is None or statistic not in members:
        return path.to(Named(METRIC, name, plain), name).property(Values.NUMBER)
    of = ".".join(rest[:-1])
    return path.to(Named(METRIC, of, statistic), of, statistic).property(Values.NUMBER)


def _into_map(shape: Shape, rest: list[str], path: _Path) -> Property:
    if not rest:
        return path.property(Values.ENTRIES)
    key = ".".join(rest)
    whole = path.to(Entry(key), key)
    if shape.value.type_name != "structure":
        return whole.property(Values.DECIMAL if path.names[-1:] == ("HyperParameters",) else Values.LOOSE)
    if rest[1:] and rest[-1] in shape.value.members:
        of = ".".join(rest[:-1])
        return _into(shape.value, rest[-1:], path.to(Entry(of), of))
    # A parameter is its text or its number, any other structure all its parts.
    if set(shape.value.members) == {"StringValue", "NumberValue"}:
        return whole.to(Member("NumberValue")).property(Values.MIXED, whole.to(Member("StringValue")).steps)
    return whole.property(Values.PARTS)
