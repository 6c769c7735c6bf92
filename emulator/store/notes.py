"""Which records were written since the index of Search last looked. Nothing is noted of kinds that have no index."""

from __future__ import annotations

from emulator.call import Scope
from emulator.store.database import Database, Session
from emulator.store.records import Record
from emulator.store.texts import Names

SQL = Names("search_statements")

TAGGED = ""
"""The kind of a note that has an ARN for its key: whose tags were written is known by that alone."""

NOWHERE = Scope("", "")


class Notes:
    """Written in the transaction of what they note, so that a killed server forgets neither without the other."""

    def __init__(self, database: Database) -> None:
        with database.read() as session:
            self.kinds = {kind for (kind,) in session.rows(SQL.KINDS)}
            """The kinds that have an index."""

    def wrote(self, session: Session, record: Record) -> None:
        """A record was inserted or replaced."""
        if record.kind in self.kinds:
            self.note(session, record.kind, record.scope, record.key)

    def tagged(self, session: Session, arn: str) -> None:
        """The tags of a resource were written."""
        if self.kinds:
            self.note(session, TAGGED, NOWHERE, arn)

    def note(self, session: Session, kind: str, scope: Scope, key: str) -> None:
        """Write a note, unless it is there."""
        session.run(SQL.NOTE, kind=kind, account=scope.account, region=scope.region, key=key)

    def dropping(self, session: Session, record: Record) -> None:
        """A record is about to be deleted: its id, by which the index knows it, may be another's soon."""
        if record.kind in self.kinds:
            scope = record.scope
            where = {"kind": record.kind, "account": scope.account, "region": scope.region, "key": record.key}
            session.run(SQL.DROP_TERMS_OF_RECORD, **where)
