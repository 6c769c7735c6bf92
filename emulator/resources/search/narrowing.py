"""Which records can match an expression, as far as the index knows: the smallest set that it finds at a small price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from emulator.resources.search.expression import Every, Filter, Nested, Node, Some
from emulator.resources.search.properties import Property
from emulator.store.search import SearchView
from emulator.store.terms import CUT, Condition, Place


@dataclass(frozen=True)
class Sizes:
    """How many records make a search go about it in another way."""

    few: int = 250
    """So many are rather read, one by one, than looked up further: 10 ms or so."""
    sorted: int = 600
    """So many are rather sorted than met on a walk, when it is known that they match: 5 ms or so."""
    large: int = 10_000
    """With more, what matches is no longer counted for its own sake."""


@dataclass(frozen=True)
class Candidates:
    """The ids of records that can match; None: any can. `exact`: all of them do, and no others."""

    ids: set[int] | None = None
    exact: bool = False


ALL = Candidates(None, True)
ANY = Candidates(None, False)

Column = Callable[[Property], str | None]
"""The native column that has a property's values; "" for a property of the index, None for one that has no index."""


class Memory:
    """What was found last: whoever turns the pages of a broad search asks the same again and again."""

    KEPT = 2

    def __init__(self) -> None:
        self._found: dict[tuple[Place, Node], tuple[int, Candidates]] = {}

    def get(self, place: Place, node: Node, commits: int) -> Candidates | None:
        """The candidates, if nothing was written since."""
        known = self._found.get((place, node))
        return known[1] if known is not None and known[0] == commits else None

    def keep(self, place: Place, node: Node, commits: int, found: Candidates) -> None:
        """Remember candidates that were found at a number of commits."""
        while len(self._found) >= self.KEPT:
            self._found.pop(next(iter(self._found)), None)
        self._found[place, node] = commits, found


class Narrowing:
    """One look at the index. `missing` are the properties that would have helped and are not indexed."""

    def __init__(self, view: SearchView, column: Column, few: int) -> None:
        self._view = view
        self._column = column
        self._few = few
        self._many = few + 1
        self.missing: set[str] = set()

    def find(self, node: Node) -> Candidates:
        """The candidates of a part of the expression."""
        if isinstance(node, Filter):
            return self._filter(node)
        if isinstance(node, Nested):
            found = self._every([one for one in node.outer if not one.negated])
            return Candidates(found.ids, found.exact and len(node.inner) == 1 and not _negated(node.inner[0]))
        return self._every(node.parts) if isinstance(node, Every) else self._some(node)

    def _filter(self, node: Filter) -> Candidates:
        conditions = self._conditions(node)
        if conditions is None:
            return ANY
        exact = all(self._exact(one) for one in conditions)
        if node.negated and not exact:
            return ANY
        ids = self._ids(conditions)
        return Candidates(self._view.ids(Condition("all")) - ids if node.negated else ids, exact)

    def _every(self, parts: Sequence[Node]) -> Candidates:
        """The smallest first; when that leaves few, the others are not asked."""
        ids, exact = None, True
        for part in self._by_size(parts):
            if ids is not None and len(ids) <= self._few:
                return Candidates(ids, False)
            if ids is not None and _negated(part):
                found = self._rejected(part)
                ids = ids - found.ids if found.ids is not None else ids
            else:
                found = self.find(part)
                ids = found.ids if ids is None else ids & found.ids if found.ids is not None else ids
            exact = exact and found.exact
        return Candidates(ids, exact)

    def _by_size(self, parts: Sequence[Node]) -> list[Node]:
        if len(parts) < 2:
            return list(parts)
        counted = [(self.estimate(part), _negated(part), number) for number, part in enumerate(parts)]
        return [parts[number] for _, _, number in sorted(counted)]

    def _rejected(self, node: Filter) -> Candidates:
        """What a negated filter takes away, where that is known for sure."""
        found = self._filter(replace(node, negated=False))
        return found if found.exact else ANY

    def _some(self, node: Some) -> Candidates:
        ids: set[int] = set()
        exact = True
        for part in node.parts:
            found = self.find(part)
            if found.ids is None:
                return ANY
            ids, exact = ids | found.ids, exact and found.exact
        return Candidates(ids, exact)

    def estimate(self, node: Node) -> int:
        """How many records a part lets through, at most; counting ends at many."""
        if isinstance(node, Some):
            return min(self._many, sum(self.estimate(part) for part in node.parts))
        if isinstance(node, Filter):
            conditions = None if node.negated else self._conditions(node)
            if conditions is None:
                return self._many
            return min(self._many, sum(self._view.count(one, self._few) for one in conditions))
        parts = node.outer if isinstance(node, Nested) else node.parts
        return min((self.estimate(part) for part in parts), default=self._many)

    def _conditions(self, node: Filter) -> list[Condition] | None:
        """What the index is asked for a filter; None when it does not know."""
        column, name = self._column(node.property), node.property.name
        if column is None:
            return None
        if column:
            native = [Condition(column, "", way.tests) for way in node.accepted if way.tests]
            return native if len(native) == len(node.accepted) else None
        if name not in self._view.properties:
            self.missing.add(name)
            return None
        return [Condition(way.column, name, way.tests) for way in node.accepted]

    def _ids(self, conditions: list[Condition]) -> set[int]:
        found: set[int] = set()
        for one in conditions:
            found |= self._view.ids(one)
        return found

    def _exact(self, condition: Condition) -> bool:
        """Whether the index knows for sure: a text may have been cut."""
        cut = condition.name in self._view.cut
        for operator, operand in condition.tests:
            if isinstance(operand, str) and (len(operand) > CUT or (cut and len(operand) == CUT)):
                return False
            if cut and operator == "contains":
                return False
        return True


def _negated(node: Node) -> TypeGuard[Filter]:
    return isinstance(node, Filter) and node.negated
