"""The shapes of JSON documents that come as strings, as values; and what of a document does not fit its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Text:
    """A string of so many characters, or one of several."""

    most: int | None = None
    least: int = 0
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Number:
    """A number, at least so large."""

    least: float | None = None


@dataclass(frozen=True)
class Flag:
    """True or false."""


@dataclass(frozen=True)
class Anything:
    """Whatever it is."""


@dataclass(frozen=True)
class Many:
    """A list."""

    of: Shape
    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Names:
    """An object with any names and values of one shape."""

    of: Shape


@dataclass(frozen=True)
class Fields:
    """An object with known names; others are allowed only if it is `open`."""

    members: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    open: bool = field(default=False)


@dataclass(frozen=True)
class OneOf:
    """A value that fits one of several shapes."""

    shapes: tuple[Shape, ...]


Shape: TypeAlias = Text | Number | Flag | Anything | Many | Names | Fields | OneOf


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """What does not fit, each with the way to it: `model_overview.model_owner is longer than 1024 characters`."""
    where = path or "the document"
    if isinstance(shape, Text):
        yield from _text(shape, value, where)
    elif isinstance(shape, Number):
        if not _is_number(value):
            yield f"{where} is no number"
        elif shape.least is not None and value < shape.least:
            yield f"{where} is less than {shape.least:g}"
    elif isinstance(shape, Flag) and not isinstance(value, bool):
        yield f"{where} is neither true nor false"
    elif isinstance(shape, Many):
        yield from _list(shape, value, where)
    elif isinstance(shape, (Names, Fields)):
        yield from _object(shape, value, where, f"{path}." if path else "")
    elif isinstance(shape, OneOf) and not any(fits(one, value) for one in shape.shapes):
        yield f"{where} fits none of its {len(shape.shapes)} shapes"


def fits(shape: Shape, value: Any) -> bool:
    """Whether a value is of a shape."""
    return next(violations(shape, value), None) is None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(shape: Text, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where} is no string"
    elif shape.options and value not in shape.options:
        yield f"{where} is none of {', '.join(shape.options)}"
    elif shape.most is not None and len(value) > shape.most:
        yield f"{where} is longer than {shape.most} characters"
    elif len(value) < shape.least:
        yield f"{where} is shorter than {shape.least} characters"


def _list(shape: Many, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where} is no list"
        return
    if len(value) < shape.least or (shape.most is not None and len(value) > shape.most):
        yield f"{where} has {len(value)} elements"
    for number, item in enumerate(value):
        yield from violations(shape.of, item, f"{where}[{number}]")


def _object(shape: Names | Fields, value: Any, where: str, prefix: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    if isinstance(shape, Names):
        for name, item in value.items():
            yield from violations(shape.of, item, f"{prefix}{name}")
        return
    yield from (f"{prefix}{name} is missing" for name in shape.required if name not in value)
    for name, item in value.items():
        if name in shape.members:
            yield from violations(shape.members[name], item, f"{prefix}{name}")
        elif not shape.open:
            yield f"{prefix}{name} is not a member of the schema"
