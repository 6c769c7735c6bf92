"""The order of results, and where in it each stands: the same whether an index is walked or a few records are sorted.

Numbers come before texts, and what lacks the property last, in both directions. Ties are broken by the key where a
column of the records is sorted by, by the age of the records where a property is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from emulator.errors import Validation
from emulator.resources import tokens
from emulator.resources.search.comparing import terms
from emulator.resources.search.properties import Property
from emulator.store.records import Record
from emulator.store.terms import CUT, Order

NUMBERS, TEXTS, ABSENT = 0, 1, 2
Item = TypeVar("Item")


@dataclass(frozen=True)
class Position:
    """Where a record stands: a segment, a value of its own kind in that, and the tie."""

    segment: int
    value: Any
    tie: Any


@dataclass(frozen=True)
class Sorting:
    """By a native `column` (and the key), or by a property."""

    column: str
    found: Property | None
    descending: bool

    @property
    def segments(self) -> tuple[int, ...]:
        """The segments in their order."""
        return (NUMBERS,) if self.column else (NUMBERS, TEXTS, ABSENT)

    def walk(self, segment: int) -> Order:
        """How the index walks a segment."""
        assert self.column or self.found
        if self.found is None or self.column:
            return Order(self.column, "", self.descending)
        column = ("number", "text", "absent")[segment]
        return Order(column, self.found.name, self.descending)

    def position(self, record: Record, number: int, body: Mapping[str, Any]) -> Position:
        """Where a record stands, `number` being its id and `body` what is searched."""
        if self.column:
            native = {"key": record.key, "created": record.created, "modified": record.modified}
            return Position(NUMBERS, native.get(self.column, record.status), record.key)
        assert self.found is not None
        values = list(terms(self.found, body))
        choose = max if self.descending else min
        numbers = [one.number for one in values if one.number is not None]
        if numbers:
            return Position(NUMBERS, choose(numbers), number)
        if values:
            return Position(TEXTS, choose((one.text or "")[:CUT] for one in values), number)
        return Position(ABSENT, None, record.key)

    def arrange(self, items: Iterable[tuple[Position, Item]]) -> list[tuple[Position, Item]]:
        """Positions, each with what stands there, in order."""
        known, arranged = list(items), []
        for segment in self.segments:
            part = [item for item in known if item[0].segment == segment]
            part.sort(key=lambda item: _within(item[0]), reverse=self._reversed(segment))
            arranged += part
        return arranged

    def behind(self, position: Position, after: Position) -> bool:
        """Whether a position comes behind another."""
        if position.segment != after.segment:
            return position.segment > after.segment
        here, there = _within(position), _within(after)
        return here < there if self._reversed(after.segment) else here > there

    def token(self, position: Position, print_: str) -> str:
        """The NextToken behind a position."""
        return tokens.write(([position.segment, position.value], str(position.tie)), print_)

    def read(self, token: str, print_: str) -> Position:
        """The position in a NextToken; `Validation` when it is another's."""
        value, tie = tokens.read(token, print_, list)
        try:
            segment, place = value
            kind = {NUMBERS: (str, float, int) if self.column else (float, int), TEXTS: str, ABSENT: type(None)}[
                segment
            ]
            found = Position(segment, place, tie if self.column or segment == ABSENT else int(tie))
        except (ValueError, KeyError, TypeError):
            raise Validation(tokens.INVALID) from None
        if not isinstance(place, kind):
            raise Validation(tokens.INVALID)
        return found

    def _reversed(self, segment: int) -> bool:
        return self.descending and segment != ABSENT


def _within(position: Position) -> tuple[Any, ...]:
    return (position.tie,) if position.segment == ABSENT else (position.value, position.tie)
