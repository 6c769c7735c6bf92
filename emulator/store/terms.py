"""What the index of Search keeps and answers: values of properties of records. It knows no property's meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.call import Scope
from emulator.store.records import Record

CUT = 500
"""Characters of a text that the index keeps: what a row of an index may hold is limited (2,700 bytes in PostgreSQL)."""

NATIVE = ("key", "status", "created", "modified")
"""Columns of the records themselves, which answer like properties and need no index of their own."""


@dataclass(frozen=True)
class Term:
    """One value of a property: a text, a number, or a text that reads as a number."""

    text: str | None = None
    number: float | None = None


@dataclass(frozen=True)
class Place:
    """The records of one kind in one scope: what one search looks through."""

    kind: str
    scope: Scope

    @property
    def where(self) -> dict[str, str]:
        """The place as parameters of a statement."""
        return {"kind": self.kind, "account": self.scope.account, "region": self.scope.region}

    @classmethod
    def of(cls, where: Mapping[str, str]) -> Place:
        """The place in the parameters, or the columns, of a statement."""
        return cls(where["kind"], Scope(where["account"], where["region"]))


@dataclass(frozen=True)
class Condition:
    """Records that have a value of a property that passes all tests.

    `column` is a native one, or `text`, `number` or `any` of the property `name`. A test is (operator, operand), with
    `=`, `<`, `<=`, `>`, `>=` and `contains`. Texts are compared as they were cut, so that a long text may pass that
    should not: whoever asks looks again.
    """

    column: str
    name: str = ""
    tests: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Order:
    """The order of a walk: by a native column and the key, by the texts or numbers of a property and the record's id,
    or (`absent`) through the records that lack the property, by key. Values that do not pass the tests are passed over.
    """

    column: str
    name: str = ""
    descending: bool = False
    tests: tuple[tuple[str, Any], ...] = ()


Stop = tuple[Any, Any, int]
"""A record on a walk: the value and the tie by which it stands where it does, and its id."""

Tags = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Reading:
    """The values of properties of one record. Not `settled`: they change while nobody writes, and are read again."""

    terms: Mapping[str, Sequence[Term]]
    settled: bool = True


Reader = Callable[[Record, Callable[[], Tags], tuple[str, ...]], Reading]
"""(record, what reads its tags, names of properties) -> the values of each."""
