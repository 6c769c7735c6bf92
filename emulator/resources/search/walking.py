"""A walk through an index in the order of a search: from where the last page ended, past what cannot match."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

from emulator.resources.search.comparing import READ_AS_NUMBERS, Alternative, Tests
from emulator.resources.search.expression import Every, Filter, Node
from emulator.resources.search.ordering import ABSENT, NUMBERS, TEXTS, Position, Sorting
from emulator.resources.search.properties import Property
from emulator.store.search import SearchView
from emulator.store.terms import Stop

FIRST_STEP, LONGEST_STEP = 50, 5000
"""Entries of an index that are taken at a time: few, then twice as many each time; the first page is mostly all."""


@dataclass(frozen=True)
class Walk:
    """Stops where records stand. One with several values is met once for each of them."""

    view: SearchView
    sorting: Sorting
    node: Node
    after: Position | None = None

    def stops(self, ids: Set[int] | None = None) -> Iterator[tuple[Position, int]]:
        """Where records stand, in order, each with its id; of these ids only."""
        for segment in self.sorting.segments:
            tests = self._bounds(segment)
            if tests is None or (self.after is not None and segment < self.after.segment):
                continue
            for value, tie, number in self._segment(segment, tests):
                if ids is None or number in ids:
                    yield Position(segment, None if segment == ABSENT else value, tie), number

    def _segment(self, segment: int, tests: Tests) -> Iterator[Stop]:
        order, step = replace(self.sorting.walk(segment), tests=tests), FIRST_STEP
        inside = self.after is not None and segment == self.after.segment
        place = (self.after.value, self.after.tie) if inside and self.after is not None else None
        while True:
            stops = self.view.walk(order, place, step)
            yield from stops
            if len(stops) < step:
                return
            place, step = stops[-1][:2], min(2 * step, LONGEST_STEP)

    def _bounds(self, segment: int) -> Tests | None:
        """What the value must pass that a record stands by, since the expression says so; None where none can."""
        found = self.sorting.found
        way = _bound(self.node, found) if found is not None else None
        if way is None or found is None:
            return ()
        if self.sorting.column:
            return way.tests
        # With several values, a record may stand by another one than that which passes.
        both = way.column == "text" and found.kind in READ_AS_NUMBERS
        if both or found.name in self.view.several:
            return ()
        return way.tests if segment == (NUMBERS if way.column == "number" else TEXTS) else None


def _bound(node: Node, found: Property) -> Alternative | None:
    """What all matches of an expression have passed with a value of a property, in so far as values are ordered."""
    for part in node.parts if isinstance(node, Every) else (node,):
        if isinstance(part, Filter) and part.property == found and not part.negated and len(part.accepted) == 1:
            (way,) = part.accepted
            if way.column != "any" and all(operator != "contains" for operator, _ in way.tests):
                return way
    return None
