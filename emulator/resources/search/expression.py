"""The expression of a search: a tree of filters, read from the request and checked, that matches bodies or does not.

Pure. The sizes of the lists are the model's and are checked before; here is what the model cannot say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.errors import Validation
from emulator.resources.search.comparing import NEGATED, Alternative, alternatives, terms
from emulator.resources.search.properties import Property

MOST = 50
"""Filters, nested filters and sub-expressions of one search (API_SearchRequest)."""

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Filter:
    """One property passes one of the alternatives; `negated`: it passes none, or is absent."""

    property: Property
    accepted: tuple[Alternative, ...]
    negated: bool = False

    def matches(self, body: Body) -> bool:
        """Whether a body does."""
        found = any(way.accepts(term) for term in terms(self.property, body) for way in self.accepted)
        return found is not self.negated

    def properties(self) -> Iterator[Property]:
        """The properties that are looked at."""
        yield self.property


@dataclass(frozen=True)
class Nested:
    """One element of a list passes all filters. `outer` are the same on the whole list: what they reject, this does."""

    within: Property
    inner: tuple[Filter, ...]
    outer: tuple[Filter, ...]

    def matches(self, body: Body) -> bool:
        """Whether a body does."""
        return any(all(one.matches(element) for one in self.inner) for element in self.within.values(body))

    def properties(self) -> Iterator[Property]:
        """The properties that are looked at."""
        for one in self.outer:
            yield one.property


@dataclass(frozen=True)
class Every:
    """All parts match."""

    parts: tuple[Node, ...]

    def matches(self, body: Body) -> bool:
        """Whether a body does."""
        return all(part.matches(body) for part in self.parts)

    def properties(self) -> Iterator[Property]:
        """The properties that are looked at."""
        for part in self.parts:
            yield from part.properties()


@dataclass(frozen=True)
class Some:
    """One part matches."""

    parts: tuple[Node, ...]

    def matches(self, body: Body) -> bool:
        """Whether a body does."""
        return any(part.matches(body) for part in self.parts)

    def properties(self) -> Iterator[Property]:
        """The properties that are looked at."""
        for part in self.parts:
            yield from part.properties()


Node = Filter | Nested | Every | Some

EVERYTHING = Every(())

Resolve = Callable[[str], Property]
Elements = Callable[[str], tuple[Property, Resolve]]


@dataclass(frozen=True)
class Names:
    """How the names of a resource are understood; of an element of a list, for what a nested filter asks of it."""

    property: Resolve
    elements: Elements
    free: frozenset[str] = frozenset()
    """Members that Contains may ask about more than once."""


def read(expression: Mapping[str, Any] | None, names: Names) -> Node:
    """The tree of an expression; `Validation` says what is wrong with it."""
    if expression is None:
        return EVERYTHING
    _limit(expression, names.free)
    return _expression(expression, names)


def _expression(expression: Mapping[str, Any], names: Names) -> Node:
    parts: list[Node] = [_filter(given, names.property) for given in expression.get("Filters") or ()]
    parts += [_nested(given, names) for given in expression.get("NestedFilters") or ()]
    parts += [_expression(given, names) for given in expression.get("SubExpressions") or ()]
    if not parts:
        raise Validation("A SearchExpression needs at least one subexpression, filter, or nested filter.")
    return Some(tuple(parts)) if expression.get("Operator") == "Or" else Every(tuple(parts))


def _filter(given: Mapping[str, Any], resolve: Resolve, name: str | None = None) -> Filter:
    found, value = resolve(name or given["Name"]), given.get("Value")
    operator = given.get("Operator") or ("Exists" if value is None else "Equals")
    return Filter(found, alternatives(found, NEGATED.get(operator, operator), value), operator in NEGATED)


def _nested(given: Mapping[str, Any], names: Names) -> Nested:
    path = given["NestedPropertyName"]
    within, resolve = names.elements(path)
    inner, outer = [], []
    for one in given["Filters"]:
        head, rest = one["Name"][: len(path) + 1], one["Name"][len(path) + 1 :]
        if head.lower() != f"{path}.".lower() or not rest:
            raise Validation(f"{one['Name']} is not a property in {path}, which the nested filter is about.")
        whole = _filter(one, names.property)
        outer.append(whole)
        inner.append(_filter(one, resolve, rest))
    return Nested(within, tuple(inner), tuple(outer))


# --- limits -----------------------------------------------------------------------------------------------------------


def _limit(expression: Mapping[str, Any], free: frozenset[str]) -> None:
    elements = sum(1 for _ in _elements(expression))
    if elements > MOST:
        raise Validation(
            f"A SearchExpression may have at most {MOST} filters, nested filters and subexpressions; "
            f"this one has {elements}."
        )
    contained = Counter(one["Name"] for one in _elements(expression) if one.get("Operator") == "Contains")
    if any(count > 1 and name.split(".")[0] not in free for name, count in contained.items()):
        raise Validation("'CONTAINS' operator usage limit of 1 exceeded.")


def _elements(expression: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from expression.get("Filters") or ()
    for nested in expression.get("NestedFilters") or ():
        yield nested
        yield from nested["Filters"]
    for inner in expression.get("SubExpressions") or ():
        yield inner
        yield from _elements(inner)
