"""The store over SQL: records and tags, written in SQLAlchemy Core so that SQLite and PostgreSQL agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from emulator.call import Extent, Scope
from emulator.store import packing, parts, sql_links
from emulator.store.database import Database, Row, Session
from emulator.store.links import Link, LinkQuery, Mark
from emulator.store.notes import Notes
from emulator.store.queries import page_name, page_values
from emulator.store.records import DuplicateKey, Query, Record, StaleVersion
from emulator.store.texts import Names

if TYPE_CHECKING:
    from emulator.store.dump import Dump, Filling
    from emulator.store.objects import ObjectIndex
    from emulator.store.search import SearchIndex

SQL = Names("record_statements")


class SqlTransaction:
    """`Transaction` on one session."""

    def __init__(self, session: Session, notes: Notes) -> None:
        self._session = session
        self._notes = notes

    def insert(self, record: Record) -> Record:
        record = record if record.version == 1 else replace(record, version=1)
        try:
            self._session.run(SQL.INSERT, **_row(record))
        except self._session.database.integrity_error as error:
            raise DuplicateKey(f"{record.kind} {record.key}") from error
        self._notes.wrote(self._session, record)
        return record

    def get(self, kind: str, scope: Scope, key: str) -> Record | None:
        return self._one(SQL.GET, kind=kind, account=scope.account, region=scope.region, key=key)

    def get_ignoring_case(self, kind: str, scope: Scope, key: str) -> Record | None:
        return self._one(SQL.GET_FOLDED, kind=kind, account=scope.account, region=scope.region, folded=key.lower())

    def get_by_arn(self, arn: str) -> Record | None:
        return self._one(SQL.GET_ARN, arn=arn)

    def get_by_arns(self, arns: Sequence[str]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for lot in sql_links.in_lots(arns):
            values = {f"arn{number}": arn for number, arn in enumerate(lot)}
            for row in self._session.rows(f'record_statements:{{"arns": {len(lot)}}}', **values):
                record = record_of(row)
                found[record.arn] = record
        return found

    def replace(self, record: Record) -> Record:
        if self._session.run(SQL.REPLACE, **_row(record), after=record.version + 1).rowcount != 1:
            raise StaleVersion(f"{record.kind} {record.key} is no longer at version {record.version}")
        self._notes.wrote(self._session, record)
        return replace(record, version=record.version + 1)

    def delete(self, record: Record) -> None:
        scope = record.scope
        self._notes.dropping(self._session, record)
        self._session.run(SQL.DELETE, kind=record.kind, account=scope.account, region=scope.region, key=record.key)
        self._session.run(SQL.DROP_TAGS, arn=record.arn)
        sql_links.drop(self._session, record.arn)

    def drop(self, extent: Extent) -> int:
        return parts.drop_records(self._session, extent, self.delete)

    def page(self, query: Query) -> list[Record]:
        return [record_of(row) for row in self._session.rows(page_name(query), **page_values(query))]

    def by_status(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        found = [row for status in statuses for row in self._session.rows(SQL.BY_STATUS, kind=kind, status=status)]
        return sorted(map(record_of, found), key=lambda record: (record.created, record.key))

    def counts(self, kind: str, scope: Scope) -> dict[str, int]:
        return dict(self._session.rows(SQL.COUNTS, kind=kind, account=scope.account, region=scope.region))

    def tags(self, arn: str) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self._session.rows(SQL.TAGS_OF, arn=arn)]

    def set_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        self.drop_tags(arn, tuple(tags))  # notes it, too
        for key, value in tags.items():
            self._session.run(SQL.ADD_TAG, arn=arn, key=key, value=value)

    def drop_tags(self, arn: str, keys: tuple[str, ...]) -> None:
        self._notes.tagged(self._session, arn)
        for key in keys:
            self._session.run(SQL.DROP_TAG, arn=arn, key=key)

    def link(self, link: Link) -> None:
        sql_links.insert(self._session, link)

    def get_link(self, relation: str, source: str, destination: str) -> Link | None:
        return sql_links.get(self._session, relation, source, destination)

    def unlink(self, relation: str, source: str, destination: str) -> bool:
        return sql_links.delete(self._session, relation, source, destination)

    def links(self, query: LinkQuery) -> list[Link]:
        return sql_links.page(self._session, query)

    def links_of(self, relation: str, end: str, arns: Sequence[str]) -> list[Link]:
        return sql_links.of_many(self._session, relation, end, arns)

    def mark(self, mark: Mark) -> None:
        sql_links.mark(self._session, mark)

    def marked(self, limit: int) -> list[Mark]:
        return sql_links.marked(self._session, limit)

    def unmark(self, mark: Mark) -> None:
        sql_links.unmark(self._session, mark)

    def _one(self, statement: str, **values: str) -> Record | None:
        row = self._session.row(statement, **values)
        return record_of(row) if row is not None else None


class SqlStore:
    """`Store` over one database. In the same one: `objects`, the index of S3's, and `search`, that of Search."""

    def __init__(self, where: Path | str = "") -> None:
        self.database = Database(where)
        self._notes = Notes(self.database)

    @cached_property
    def objects(self) -> ObjectIndex:
        """The index of S3's objects."""
        from emulator.store.objects import ObjectIndex

        return ObjectIndex(self.database)

    @cached_property
    def search(self) -> SearchIndex:
        """The index of Search over the records."""
        from emulator.store.search import SearchIndex

        return SearchIndex(self.database, self._notes)

    @property
    def commits(self) -> int:
        """How often was written."""
        return self.database.commits

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """A consistent view."""
        with self.database.read() as session:
            yield SqlTransaction(session, self._notes)

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """A transaction."""
        with self.database.write() as session:
            yield SqlTransaction(session, self._notes)

    @contextmanager
    def dump(self) -> Iterator[Dump]:
        """All that is held, in a consistent view."""
        from emulator.store.dump import Dump

        with self.database.read() as session:
            yield Dump(session, lambda row: record_of(row, orjson.loads))

    @contextmanager
    def fill(self) -> Iterator[Filling]:
        """A new store is filled, in one transaction. `OSError` when the disk is full."""
        from emulator.store.dump import Filling, told_of_a_full_disk

        with told_of_a_full_disk(), self.database.write() as session:
            yield Filling(session, _row)

    def reset(self) -> None:
        """Forget everything."""
        self.database.clear()
        self._notes = Notes(self.database)
        self.__dict__.pop("search", None)

    def close(self) -> None:
        """Let go of the files."""
        self._notes.close()
        self.database.close()


def _row(record: Record) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "account": record.scope.account,
        "region": record.scope.region,
        "key": record.key,
        "folded": record.key.lower(),
        "arn": record.arn,
        "parent": record.parent,
        "status": record.status,
        "created": record.created,
        "modified": record.modified,
        "version": record.version,
        "body": packing.dumps(record.body),
        "hidden": packing.dumps(record.hidden),
    }


def record_of(row: Row, parse: Callable[[str], Any] = packing.loads) -> Record:
    """The record in a row of all columns (`pages.COLUMNS`)."""
    kind, account, region, key, arn, parent, status, created, modified, version, body, hidden = row
    return Record(
        kind=kind,
        scope=Scope(account, region),
        key=key,
        arn=arn,
        body=parse(body),
        created=created,
        modified=modified,
        status=status,
        parent=parent,
        hidden=parse(hidden),
        version=version,
    )
