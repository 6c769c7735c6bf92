"""How a value passes an operator: alternatives of tests on texts and numbers, shared by the index and the evaluator.

Pure. Sources of the rules: API_Filter (operators by type, hyperparameters), docs/quirks.md (what it leaves open).
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from emulator.errors import Validation
from emulator.resources.search.properties import Property, Values
from emulator.store.terms import Term

Tests = tuple[tuple[str, Any], ...]

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": operator.contains,
}
ORDERED = {"GreaterThan": ">", "GreaterThanOrEqualTo": ">=", "LessThan": "<", "LessThanOrEqualTo": "<="}
NEGATED = {"NotEquals": "Equals", "NotExists": "Exists"}
ONLY_TEXT = ("Contains", "In")

READ_AS_NUMBERS = (Values.LOOSE, Values.DECIMAL, Values.MIXED)
"""Kinds of values that are texts and numbers at once."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_EPOCH = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Alternative:
    """Tests that one value must pass, all of them: of its `text` or `number`, or of `any` value, which passes none."""

    column: str
    tests: Tests = ()

    def accepts(self, term: Term) -> bool:
        """Whether a value passes."""
        if self.column == "any":
            return True
        value = term.text if self.column == "text" else term.number
        return value is not None and all(OPERATORS[name](value, operand) for name, operand in self.tests)


ANY = (Alternative("any"),)


def number(text: str) -> float | None:
    """The number that a text reads as, or None. Python's own words (`nan`, `1_000`) are no numbers."""
    if not _NUMBER.fullmatch(text):
        return None
    found = float(text)
    return found if math.isfinite(found) else None


def term(kind: Values, value: Any) -> Term:
    """A value of a property as it is compared."""
    if kind in (Values.NUMBER, Values.TIME) and isinstance(value, (int, float)) and not isinstance(value, bool):
        return Term(number=float(value)) if math.isfinite(value) else Term(text=str(value))
    if isinstance(value, bool):
        return Term(text="true" if value else "false")
    text = value if isinstance(value, str) else _written(value)
    return Term(text, number(text) if kind in READ_AS_NUMBERS else None)


def terms(found: Property, body: Mapping[str, Any]) -> Iterator[Term]:
    """The values of a property in a body, as they are compared."""
    for value in found.values(body):
        if found.kind is Values.ENTRIES and isinstance(value, Mapping):
            yield from (term(Values.ENTRIES, key) for key in value)
        for leaf in leaves(value):
            yield term(found.kind, leaf)


def leaves(value: Any) -> Iterator[Any]:
    """The texts and numbers in a value."""
    if isinstance(value, Mapping):
        yield from (leaf for inner in value.values() for leaf in leaves(inner))
    elif isinstance(value, (list, tuple)):
        yield from (leaf for inner in value for leaf in leaves(inner))
    elif value is not None:
        yield value


def alternatives(found: Property, name: str, value: str | None) -> tuple[Alternative, ...]:
    """What passes an operator that is not a negation; `Validation` when the property does not have it, or the value."""
    if name == "Exists":
        return ANY
    if value is None:
        raise Validation(f"The operator {name} on {found.name} needs a Value.")
    if name in ORDERED:
        return (Alternative("number", _ordered(found, name, value)),)
    if name in ONLY_TEXT and found.kind in (Values.NUMBER, Values.TIME, Values.BOOLEAN):
        raise Validation(f"The operator {name} is only supported for text properties: {found.name} is none.")
    if name == "Contains":
        return (Alternative("text", (("contains", value),)),)
    if name == "In":
        return tuple(_equal(found, one) for one in value.split(","))
    return (_equal(found, value),)


def _equal(found: Property, value: str) -> Alternative:
    kind, parsed = found.kind, number(value)
    if kind is Values.TIME:
        moment, whole = _moment(found, value)
        # To the second, if that is all that was said: times are kept in milliseconds.
        return Alternative("number", ((">=", moment), ("<", moment + 1)) if whole else (("=", moment),))
    if kind is Values.NUMBER:
        return Alternative("number", (("=", _needed(found, value)),))
    if kind is Values.BOOLEAN:
        return Alternative("text", (("=", value.lower()),))
    if kind is Values.DECIMAL and _WHOLE.fullmatch(value):
        return Alternative("number", (*_cut_off(">=", float(value)), *_cut_off("<=", float(value))))
    if kind in (Values.DECIMAL, Values.MIXED) and parsed is not None:
        return Alternative("number", (("=", parsed),))
    return Alternative("text", (("=", value),))


def _ordered(found: Property, name: str, value: str) -> Tests:
    sign = ORDERED[name]
    if found.kind in (Values.TEXT, Values.BOOLEAN, Values.PARTS, Values.ENTRIES):
        raise Validation(f"The operator {name} is not supported for text properties: {found.name} is one.")
    if found.kind is Values.TIME:
        return ((sign, _moment(found, value)[0]),)
    bound = _needed(found, value)
    if found.kind is Values.DECIMAL and _WHOLE.fullmatch(value):
        return _cut_off(sign, bound)
    return ((sign, bound),)


def _cut_off(sign: str, bound: float) -> Tests:
    """A comparison of numbers without their decimals with a whole number, as one of the numbers themselves."""
    if sign == ">":
        return _cut_off(">=", bound + 1)
    if sign == "<":
        return _cut_off("<=", bound - 1)
    if sign == ">=":
        return ((">=", bound),) if bound > 0 else ((">", bound - 1),)
    return (("<=", bound),) if bound < 0 else (("<", bound + 1),)


def _needed(found: Property, value: str) -> float:
    parsed = number(value)
    if parsed is None:
        raise Validation(f"{value} is not a number, and {found.name} is compared with one.")
    return parsed


def _moment(found: Property, value: str) -> tuple[float, bool]:
    """Seconds since the epoch, and whether nothing finer than a second was said."""
    if _EPOCH.fullmatch(value):
        return float(value), "." not in value
    try:
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", value))
    except ValueError:
        raise Validation(
            f"{value} is not a time, and {found.name} is one. Write it as in 2026-01-31T12:00:00 (UTC)."
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return moment.timestamp(), moment.microsecond == 0


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
