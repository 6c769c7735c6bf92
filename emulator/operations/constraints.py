"""The service model's constraints, checked all at once and told in the service's own words.

`check` walks a request by a validator that is compiled once per shape, so that a hot call costs microseconds.
Wording: docs/quirks.md, "Validation errors".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import regex
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from emulator.errors import Validation

Report = Callable[[str, str, str], None]
"""(value as printed, path, constraint)."""

Validator = Callable[[Any, str, Report], None]

NULL = "Member must not be null"


def check(shape: StructureShape | None, params: Mapping[str, Any]) -> None:
    """`Validation` with every constraint of `shape` that `params` violates; nothing otherwise."""
    if shape is None:
        return
    clauses: list[str] = []

    def report(value: str, path: str, constraint: str) -> None:
        clauses.append(f"Value {value} at '{path}' failed to satisfy constraint: {constraint}")

    _validator(shape)(params, "", report)
    if clauses:
        errors = "error" if len(clauses) == 1 else "errors"
        raise Validation(f"{len(clauses)} validation {errors} detected: {'; '.join(clauses)}")


_COMPILED: dict[int, tuple[Shape, Validator]] = {}
"""Validators by the identity of their shape (which the entry keeps alive)."""


def _validator(shape: Shape) -> Validator:
    known = _COMPILED.get(id(shape))
    if known is None:
        maker = _MAKERS.get(shape.type_name, _scalar)
        known = _COMPILED[id(shape)] = (shape, maker(shape))
    return known[1]


def _structure(shape: StructureShape) -> Validator:
    members = shape.members
    required = frozenset(shape.required_members)
    names = {name: name[:1].lower() + name[1:] for name in members}
    inner: dict[str, Validator] = {}

    def validate(value: Any, path: str, report: Report) -> None:
        for name in required:
            if value.get(name) is None:
                report("null", _join(path, names[name]), NULL)
        for name, content in value.items():
            if content is None or name not in members:
                continue
            # Compiled on first sight: shapes may contain themselves.
            validator = inner.get(name) or inner.setdefault(name, _validator(members[name]))
            validator(content, _join(path, names[name]), report)

    return validate


def _list(shape: ListShape) -> Validator:
    bounds = _length(shape)
    member = shape.member

    def validate(value: Any, path: str, report: Report) -> None:
        bounds(value, path, report)
        validator = _validator(member)
        for number, content in enumerate(value, 1):
            validator(content, f"{path}.{number}.member", report)

    return validate


def _map(shape: MapShape) -> Validator:
    bounds = _length(shape)

    def validate(value: Any, path: str, report: Report) -> None:
        bounds(value, path, report)
        keys, values = _validator(shape.key), _validator(shape.value)
        for key, content in value.items():
            keys(key, f"{path}.key", report)
            values(content, f"{path}.value", report)

    return validate


def _string(shape: StringShape) -> Validator:
    bounds = _length(shape)
    allowed = shape.metadata.get("enum") or ()
    pattern = shape.metadata.get("pattern")
    choices = frozenset(allowed)

    def validate(value: Any, path: str, report: Report) -> None:
        bounds(value, path, report)
        if choices and value not in choices:
            report(f"'{value}'", path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
        if pattern and not _matcher(pattern)(value):
            report(f"'{value}'", path, f"Member must satisfy regular expression pattern: {pattern}")

    return validate


def _number(shape: Shape) -> Validator:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")

    def validate(value: Any, path: str, report: Report) -> None:
        if low is not None and value < low:
            report(f"'{value}'", path, f"Member must have value greater than or equal to {low}")
        if high is not None and value > high:
            report(f"'{value}'", path, f"Member must have value less than or equal to {high}")

    return validate


def _blob(shape: Shape) -> Validator:
    # The bytes of a stream are counted by who reads them; a blob is not printed.
    high = shape.metadata.get("max")

    def validate(value: Any, path: str, report: Report) -> None:
        if high is not None and isinstance(value, bytes) and len(value) > high:
            report("'[binary]'", path, f"Member must have length less than or equal to {high}")

    return validate


def _scalar(shape: Shape) -> Validator:
    def validate(value: Any, path: str, report: Report) -> None:
        return

    return validate


_MAKERS: dict[str, Callable[[Any], Validator]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
    "blob": _blob,
}


def _length(shape: Shape) -> Validator:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")

    def validate(value: Any, path: str, report: Report) -> None:
        size = len(value)
        if high is not None and size > high:
            report(_printed(value), path, f"Member must have length less than or equal to {high}")
        if low is not None and size < low:
            report(_printed(value), path, f"Member must have length greater than or equal to {low}")

    return validate


def _printed(value: Any) -> str:
    """A value as the service prints it: Java's `toString` of lists and maps."""
    return f"'{_java(value)}'"


def _java(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_java(content)}" for key, content in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_java(content) for content in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> Callable[[str], Any]:
    """Full match of a Java pattern. The `regex` package knows Java's \\p{...} classes; `re` does not.

    DOTALL is off, as in Java, and `timeout` is not needed: patterns are AWS's, not the caller's.
    """
    compiled: Any = regex.compile(pattern)
    match: Callable[[str], Any] = compiled.fullmatch
    return match


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
