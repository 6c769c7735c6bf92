"""The model's required, min, max, pattern and enum, reported all at once in the service's words.

    2 validation errors detected: Value 'x' at 'modelName' failed to satisfy constraint: Member must have length less
    than or equal to 63; Value ...

Wording: docs/quirks.md, "Validation errors". A checker is compiled once for each shape, part by part as values reach
it, so that the checks of a hot call cost microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from botocore.model import ListShape, MapShape, Shape, StructureShape

from emulator.errors import Validation
from emulator.operations.patterns import compile_pattern, printed

SHOWN = 1024
"""Characters of a value that a message repeats."""

PATTERN_LIMIT = 20_000
"""Longer strings, which are too long anyway, are not matched as well."""

Check = Callable[[Any, str, list[str]], None]
"""(value, path, violations found so far): adds to the violations."""


def check(shape: Shape | None, params: Mapping[str, Any]) -> None:
    """Raise `Validation` with everything that `params` violates in the input `shape` of an operation."""
    if shape is None:
        return
    checker = _CHECKERS.get(shape)
    if checker is None:
        checker = _CHECKERS[shape] = _Structure(shape)
    found: list[str] = []
    checker(params, "", found)
    if found:
        plural = "s" if len(found) > 1 else ""
        raise Validation(f"{len(found)} validation error{plural} detected: {'; '.join(found)}")


_CHECKERS: WeakKeyDictionary[Shape, Check] = WeakKeyDictionary()
"""Pure functions of the model, kept as long as the model is."""


def _compile(shape: Shape) -> Check | None:
    """The checker of a shape, or None where nothing can be violated."""
    if shape.type_name == "structure":
        return None if shape.is_document_type else _Structure(shape)
    if shape.type_name == "list":
        return _List(shape)
    if shape.type_name == "map":
        return _Map(shape)
    rules = _RULES.get(shape.type_name)
    scalar = _Scalar(shape, rules(shape)) if rules else None
    return scalar if scalar and scalar.rules else None


class _Structure:
    """Required members first, then each member that was given. Members' checkers are compiled when first met:
    shapes may contain themselves, and most members of most requests are absent.
    """

    def __init__(self, shape: StructureShape) -> None:
        self._shape = shape
        self._required = tuple(shape.required_members)
        self._payload = shape.serialization.get("payload")
        self._members: dict[str, tuple[str, Check | None]] = {}

    def __call__(self, value: Any, path: str, found: list[str]) -> None:
        prefix = path + "." if path else ""
        for name in self._required:
            if value.get(name) is None:
                found.append(_null(prefix + _camel(name)))
        for name, given in value.items():
            if given is not None:
                label, member = self._members.get(name) or self._meet(name)
                if member is not None:
                    member(given, prefix + label, found)

    def _meet(self, name: str) -> tuple[str, Check | None]:
        shape = self._shape.members.get(name)
        stream = name == self._payload and shape is not None and shape.type_name == "blob"
        # How large a payload may be is for whoever answers to say: in other words, and with another code.
        checker = None if shape is None or stream else _compile(shape)
        self._members[name] = entry = (_camel(name), checker)
        return entry


class _List:
    def __init__(self, shape: ListShape) -> None:
        self._whole = _Scalar(shape, _lengths(shape))
        self._shape = shape.member
        self._member: Check | None = None
        self._met = False

    def __call__(self, value: Any, path: str, found: list[str]) -> None:
        self._whole(value, path, found)
        if not self._met:
            self._member, self._met = _compile(self._shape), True
        for number, given in enumerate(value, 1):
            if given is None:
                found.append(_null(f"{path}.{number}.member"))
            elif self._member is not None:
                self._member(given, f"{path}.{number}.member", found)


class _Map:
    def __init__(self, shape: MapShape) -> None:
        self._whole = _Scalar(shape, _lengths(shape))
        self._key = _compile(shape.key)
        self._shape = shape.value
        self._value: Check | None = None
        self._met = False

    def __call__(self, value: Any, path: str, found: list[str]) -> None:
        self._whole(value, path, found)
        if not self._met:
            self._value, self._met = _compile(self._shape), True
        for key, given in value.items():
            if self._key is not None:
                self._key(key, f"{path}.key", found)
            if given is None:
                found.append(_null(f"{path}.value"))
            elif self._value is not None:
                self._value(given, f"{path}.value", found)


Rule = tuple[Callable[[Any], object], str]
"""(does the value satisfy it, what the member must)."""


class _Scalar:
    """A value with rules of its own."""

    def __init__(self, shape: Shape, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._sensitive = bool(shape.metadata.get("sensitive"))

    def __call__(self, value: Any, path: str, found: list[str]) -> None:
        for satisfied, words in self.rules:
            if not satisfied(value):
                shown = "***Sensitive Data***" if self._sensitive else _shown(value)
                found.append(f"Value '{shown}' at '{path}' failed to satisfy constraint: {words}")


def _null(path: str) -> str:
    return f"Value null at '{path}' failed to satisfy constraint: Member must not be null"


def _lengths(shape: Shape) -> tuple[Rule, ...]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    rules: list[Rule] = []
    if high is not None:
        rules.append((lambda v: len(v) <= high, f"Member must have length less than or equal to {high}"))
    if low:
        rules.append((lambda v: len(v) >= low, f"Member must have length greater than or equal to {low}"))
    return tuple(rules)


def _text(shape: Shape) -> tuple[Rule, ...]:
    rules = _lengths(shape)
    pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
    if pattern:
        rules += ((_Pattern(pattern), f"Member must satisfy regular expression pattern: {printed(pattern)}"),)
    if enum:
        rules += ((frozenset(enum).__contains__, f"Member must satisfy enum value set: [{', '.join(enum)}]"),)
    return rules


class _Pattern:
    """Compiled when the first value comes: most of the model's patterns never meet one."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._match: Callable[[str], object] | None = None

    def __call__(self, value: str) -> object:
        if self._match is None:
            self._match = compile_pattern(self._pattern)
        return len(value) > PATTERN_LIMIT or self._match(value)


def _range(shape: Shape) -> tuple[Rule, ...]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    rules: list[Rule] = []
    if high is not None:
        rules.append((lambda v: v <= high, f"Member must have value less than or equal to {high}"))
    if low is not None:
        rules.append((lambda v: v >= low, f"Member must have value greater than or equal to {low}"))
    return tuple(rules)


_RULES: Mapping[str, Callable[[Shape], tuple[Rule, ...]]] = {
    "string": _text,
    "character": _text,
    "integer": _range,
    "long": _range,
    "float": _range,
    "double": _range,
    "blob": _lengths,
}


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(value: Any) -> str:
    """A value as Java prints it."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, (list, tuple)):
        text = f"[{', '.join(_shown(v) for v in value[:100])}]"
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{k}={_shown(v)}" for k, v in list(value.items())[:100]) + "}"
    elif isinstance(value, bytes):
        text = f"{len(value)} bytes"
    else:
        text = str(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
