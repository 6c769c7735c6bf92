"""Which records were written since the index of Search last looked. Nothing is noted of kinds that have no index.

Notes are kept in memory, so that writing costs nothing: the first one of a life leaves a mark in the database, which is
taken away when the store is closed. An index behind a mark that is there when the store opens is not to be trusted.
"""

from __future__ import annotations

from emulator.call import Scope
from emulator.store.database import Database, Session
from emulator.store.records import Record
from emulator.store.terms import Place
from emulator.store.texts import Names

SQL = Names("search_statements")

MARK = {"kind": "", "account": "", "region": "", "key": ""}

MOST = 20_000
"""Notes of one place: with more, its index is given up, which is made anew in less time than it would take to mend."""

CARRIED = 1_000
"""Notes that are written down when the store closes; with more, the next life makes the index anew."""


class Notes:
    """Changed only by whoever holds the writer's lock: that is, within a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._marked = False
        self._pending: dict[Place, set[str]] = {}
        self._arns: set[str] = set()
        self._lost: set[Place] = set()
        with database.read() as session:
            self.kinds = {kind for (kind,) in session.rows(SQL.KINDS)}
            """The kinds that have an index."""
            kept = session.rows(SQL.NOTES) if self.kinds else []
        self._take_over([dict(zip(MARK, row, strict=True)) for row in kept])

    def _take_over(self, kept: list[dict[str, str]]) -> None:
        """Go on from what a former life wrote down; when it did not come to that, without any index."""
        if MARK in kept:
            with self._database.write() as session:
                session.run(SQL.DROP_PROPERTIES)
                session.run(SQL.DROP_NOTES)
            self.kinds.clear()
            return
        for note in kept:
            self.add(Place.of(note), note["key"])

    # --- by writers -------------------------------------------------------------------------------------------------

    def wrote(self, session: Session, record: Record) -> None:
        """A record was inserted or replaced."""
        if record.kind in self.kinds:
            self._mark(session)
            self.add(Place(record.kind, record.scope), record.key)

    def tagged(self, session: Session, arn: str) -> None:
        """The tags of a resource were written, or something else that is told of it: its ARN is all that is known."""
        if self.kinds:
            self._mark(session)
            self._arns.add(arn)

    def dropping(self, session: Session, record: Record) -> None:
        """A record is about to be deleted: its id, by which the index knows it, may be another's soon."""
        if record.kind in self.kinds:
            where = Place(record.kind, record.scope).where
            session.run(SQL.DROP_TERMS_OF_RECORD, key=record.key, **where)

    def add(self, place: Place, key: str) -> None:
        """Note a record."""
        if place not in self._lost:
            keys = self._pending.setdefault(place, set())
            keys.add(key)
            if len(keys) > MOST:
                self.lose(place)

    def _mark(self, session: Session) -> None:
        if not self._marked:
            session.run(SQL.NOTE, **MARK)
            session.committed.append(self._is_marked)

    def _is_marked(self) -> None:
        self._marked = True

    # --- by the index -----------------------------------------------------------------------------------------------

    def any(self, place: Place) -> bool:
        """Whether there may be something to read anew."""
        return bool(self._arns) or place in self._pending or place in self._lost

    def count(self, place: Place) -> int | None:
        """How many records of a place are to be read anew; None when nobody knows which."""
        return None if place in self._lost else len(self._pending.get(place, ()))

    def pass_on(self, session: Session) -> None:
        """A note about an ARN becomes notes about the records that have it."""
        for arn in self._arns:
            for kind, account, region, key in session.rows(SQL.WHERE_ARN, arn=arn):
                if kind in self.kinds:
                    self.add(Place(kind, Scope(account, region)), key)
        self._arns = set()

    def take(self, place: Place, limit: int) -> list[str]:
        """Take some of the keys."""
        keys = self._pending.get(place, set())
        taken = [keys.pop() for _ in range(min(limit, len(keys)))]
        if not keys:
            self._pending.pop(place, None)
        return taken

    def lose(self, place: Place) -> None:
        """What was taken was not read anew after all: nobody knows any more what must be."""
        self._pending.pop(place, None)
        self._lost.add(place)

    def forget(self, place: Place) -> None:
        """The index of a place is given up."""
        self._pending.pop(place, None)
        self._lost.discard(place)

    def close(self) -> None:
        """Write down what is still to be read anew, for the next life."""
        if not self._marked or self._lost:
            return
        with self._database.read() as session:
            self.pass_on(session)
        notes = [{**place.where, "key": key} for place, keys in self._pending.items() for key in keys]
        if len(notes) <= CARRIED:
            with self._database.write() as session:
                session.run(SQL.DROP_NOTES)
                session.many(SQL.NOTE, notes)
