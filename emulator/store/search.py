"""The index of Search: which records have which values of the properties that somebody has searched for.

A property is indexed when it is first asked for, and kept up from the notes of what was written since, when the next
search comes: writing pays for a note, and for nothing before the first search. What a property means, its reader knows.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any

import orjson

from emulator.store.database import Database, Row, Session
from emulator.store.notes import Notes
from emulator.store.records import Record
from emulator.store.sql import record_of
from emulator.store.terms import CUT, NATIVE, Condition, Order, Place, Reader, Stop, Tags
from emulator.store.texts import Names

SQL = Names("search_statements")
TAGS_OF = "record_statements:TAGS_OF"

CHUNK = 500
"""Records that are indexed in one transaction: other writers wait for it, 20 ms or so."""

UNFINISHED, READY, CUT_SOME, SEVERAL = 0, 1, 2, 4
"""States of a property: being indexed, or indexed. And whether a text was cut, and a record has several values."""

BREATH = 0.0005
"""Seconds between two chunks, in which whoever waits for the lock gets it: a lock goes to whoever takes it first."""


class SearchView:
    """What the index says of one place, in one consistent view."""

    def __init__(self, session: Session, place: Place) -> None:
        self._session = session
        self._where = place.where
        rows = session.rows(SQL.PROPERTIES, **self._where)
        self.properties: Mapping[str, int] = {name: number for number, name, state in rows if state != UNFINISHED}
        """The indexed properties, each with its number."""
        self.cut: Set[str] = {name for _, name, state in rows if state & CUT_SOME}
        """Those of which a text was cut."""
        self.several: Set[str] = {name for _, name, state in rows if state & SEVERAL}
        """Those of which a record has several values."""

    def size(self, limit: int) -> int:
        """How many records there are; more than `limit` are not counted."""
        return self.count(Condition("all"), limit)

    def count(self, condition: Condition, limit: int) -> int:
        """How many values meet a condition: as many records, or more; beyond `limit` is not counted."""
        row = self._session.row(self._name("count", condition), limit=limit + 1, **self._values(condition))
        return int(row[0]) if row is not None else 0

    def ids(self, condition: Condition) -> set[int]:
        """The records that meet a condition."""
        return {number for (number,) in self._session.rows(self._name("ids", condition), **self._values(condition))}

    def walk(self, order: Order, after: tuple[Any, Any] | None, limit: int) -> list[Stop]:
        """The next records in an order, behind a position. One with several values comes once for each."""
        shape = {"what": "walk", "column": order.column, "descending": order.descending, "after": after is not None}
        shape["tests"] = [operator for operator, _ in order.tests]
        values = self._scope(order.column, order.name)
        values |= _operands(order.tests)
        if after is not None:
            values["tie"] = after[1]
            if order.column not in ("key", "absent"):
                values["value"] = after[0]
        return self._session.rows(f"search_queries:{json.dumps(shape)}", limit=limit, **values)

    def stand(self, column: str, number: int) -> tuple[Any, str] | None:
        """Where a record stands in the order of a native column."""
        name = f"search_queries:{json.dumps({'what': 'stand', 'column': column})}"
        row = self._session.row(name, id=number, **self._where)
        return (row[0], row[1]) if row is not None else None

    def load(self, number: int) -> Record | None:
        """The record of an id."""
        row = self._session.row(SQL.BY_ID, id=number)
        return _fresh(row) if row is not None else None

    def tags(self, arn: str) -> Tags:
        """The tags of a record."""
        return self._session.rows(TAGS_OF, arn=arn)

    def _scope(self, column: str, name: str) -> dict[str, Any]:
        if column in (*NATIVE, "all"):
            return dict(self._where)
        named: dict[str, Any] = {"property": self.properties[name]}
        return {**self._where, **named} if column == "absent" else named

    def _name(self, what: str, condition: Condition) -> str:
        words = {"contains": "may contain"} if condition.name in self.cut else {}
        tests = [words.get(operator, operator) for operator, _ in condition.tests]
        return f"search_queries:{json.dumps({'what': what, 'column': condition.column, 'tests': tests})}"

    def _values(self, condition: Condition) -> dict[str, Any]:
        values = self._scope(condition.column, condition.name)
        if condition.name in self.cut and any(operator == "contains" for operator, _ in condition.tests):
            values["cut"] = CUT
        return values | _operands(condition.tests)


class SearchIndex:
    """Thread safe. Who waits for an index to be built waits for all that are being built; writers do not."""

    def __init__(self, database: Database, notes: Notes) -> None:
        self._database = database
        self._notes = notes
        self._lock = threading.Lock()
        self._states: dict[int, int] = {}
        """By numbers: the states of properties, as far as they are known of what was indexed in this life."""

    @property
    def commits(self) -> int:
        """How often was written: what was found before is found again while this has not changed."""
        return self._database.commits

    @contextmanager
    def read(self, place: Place) -> Iterator[SearchView]:
        """A consistent view."""
        with self._database.read() as session:
            yield SearchView(session, place)

    def touch(self, arn: str) -> None:
        """What is read of a record has changed, though nobody wrote the record itself."""
        with self._database.write() as session:
            self._notes.tagged(session, arn)

    def catch_up(self, place: Place, read: Reader) -> None:
        """Read anew what was written since the last time."""
        with self._lock:
            if not self._notes.any(place):
                return
            try:
                self._mend(place, read)
            except BaseException:
                self._notes.lose(place)
                raise

    def build(self, place: Place, names: Sequence[str], read: Reader) -> None:
        """Index those of the properties that are not yet."""
        with self._lock:
            numbers = self._enter(place, names)
            after: str | None = "" if numbers else None
            while after is not None:
                with self._database.write() as session:
                    after = self._index_chunk(session, place, after, numbers, read)
                    for number in numbers.values() if after is None else ():
                        session.run(SQL.SET_STATE, id=number, state=self._states[number])
                time.sleep(BREATH)

    # --- building ---------------------------------------------------------------------------------------------------

    def _enter(self, place: Place, names: Sequence[str]) -> dict[str, int]:
        """Number the properties that are not indexed; from now on is noted what is written."""
        with self._database.write() as session:
            self._notes.kinds.add(place.kind)
            known = {name: (number, state) for number, name, state in session.rows(SQL.PROPERTIES, **place.where)}
            wanted = [name for name in names if known.get(name, (0, UNFINISHED))[1] == UNFINISHED]
            for name in wanted:
                if name in known:  # whoever began did not come to the end
                    session.run(SQL.DROP_PROPERTY, id=known[name][0])
                session.run(SQL.NEW_PROPERTY, name=name, state=UNFINISHED, **place.where)
            numbers = {name: number for number, name, _ in session.rows(SQL.PROPERTIES, **place.where)}
            for name in wanted:  # of whoever had the number before
                session.run(SQL.DROP_TERMS, property=numbers[name])
                self._states[numbers[name]] = READY
            return {name: numbers[name] for name in wanted}

    def _index_chunk(
        self, session: Session, place: Place, after: str, numbers: Mapping[str, int], read: Reader
    ) -> str | None:
        """Index the next records; the key of the last one, or None when there are no more."""
        rows = session.rows(SQL.CHUNK, after=after, limit=CHUNK, **place.where)
        terms: list[dict[str, Any]] = []
        record = None
        for row in rows:
            record = _fresh(row[1:])
            found, settled = self._terms(session, row[0], record, numbers, read)
            terms += found
            if not settled:
                self._notes.add(place, record.key)
        session.many(SQL.NEW_TERM, terms)
        return record.key if record is not None and len(rows) == CHUNK else None

    def _terms(
        self, session: Session, number: int, record: Record, properties: Mapping[str, int], read: Reader
    ) -> tuple[list[dict[str, Any]], bool]:
        """The rows of one record, and whether they stay true until it is written again."""
        reading = read(record, lambda: session.rows(TAGS_OF, arn=record.arn), tuple(properties))
        rows = []
        for name, found in reading.terms.items():
            if len(found) > 1:
                self._states[properties[name]] |= SEVERAL
            for position, term in enumerate(found):
                text = term.text
                if text is not None and len(text) > CUT:
                    text = text[:CUT]
                    self._states[properties[name]] |= CUT_SOME
                place = {"property": properties[name], "record": number, "position": position}
                rows.append({**place, "text": text, "number": term.number})
        return rows, reading.settled

    # --- keeping up -------------------------------------------------------------------------------------------------

    def _mend(self, place: Place, read: Reader) -> None:
        with self._database.write() as session:
            self._notes.pass_on(session)
            given_up = self._forget(session, place)
        unsettled: list[str] = []
        while not given_up and self._notes.count(place):
            with self._database.write() as session:
                unsettled += self._renew(session, place, read)
        if unsettled:
            with self._database.write():
                for key in unsettled:
                    self._notes.add(place, key)

    def _forget(self, session: Session, place: Place) -> bool:
        """Give the index of a place up where making it anew takes less. Its terms go when others get their numbers."""
        notes = self._notes.count(place)
        if notes is not None and (notes <= CHUNK or SearchView(session, place).size(4 * notes) > 4 * notes):
            return False
        for number, _, _ in session.rows(SQL.PROPERTIES, **place.where):
            session.run(SQL.DROP_PROPERTY, id=number)
        self._notes.forget(place)
        return True

    def _renew(self, session: Session, place: Place, read: Reader) -> list[str]:
        """Read some of the records anew; the keys of those that must be again."""
        rows = session.rows(SQL.PROPERTIES, **place.where)
        properties = {name: number for number, name, state in rows if state != UNFINISHED}
        self._states |= {number: state for number, _, state in rows}
        unsettled = []
        for key in self._notes.take(place, CHUNK):
            row = session.row(SQL.BY_KEY, key=key, **place.where)
            if row is not None and not self._renew_one(session, row, properties, read):
                unsettled.append(key)
        for number, _, state in rows:
            if self._states[number] != state:
                session.run(SQL.SET_STATE, id=number, state=self._states[number])
        return unsettled

    def _renew_one(self, session: Session, row: Row, properties: Mapping[str, int], read: Reader) -> bool:
        for number in properties.values():
            session.run(SQL.DROP_TERMS_OF_ONE, property=number, record=row[0])
        terms, settled = self._terms(session, row[0], _fresh(row[1:]), properties, read)
        session.many(SQL.NEW_TERM, terms)
        return settled


def _operands(tests: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The operands of tests as parameters, cut as the values are."""
    cut = (operand[:CUT] if isinstance(operand, str) else operand for _, operand in tests)
    return {f"operand{number}": operand for number, operand in enumerate(cut)}


def _fresh(row: Row) -> Record:
    """A record whose body is parsed for this once: a search reads too many of them to remember any."""
    return record_of(row, orjson.loads)
