"""The store over SQL: records and tags through SQLAlchemy Core, so that SQLite today and PostgreSQL tomorrow agree."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from emulator.call import Scope
from emulator.store.records import DuplicateKey, Query, Record, StaleVersion
from emulator.store.tables import META, RECORDS, TAGS, Database

if TYPE_CHECKING:
    from emulator.store.objects import ObjectIndex

C = RECORDS.c
SORTS = {"name": C.key, "created": C.created, "modified": C.modified, "status": C.status}

# Statements are built once: building one costs more than running it.
_IN_SCOPE = (C.kind == bindparam("k"), C.account == bindparam("a"), C.region == bindparam("r"))
_GET = select(RECORDS).where(*_IN_SCOPE, C.key == bindparam("key_"))
_GET_FOLDED = select(RECORDS).where(*_IN_SCOPE, C.folded == bindparam("key_"))
_GET_ARN = select(RECORDS).where(C.arn == bindparam("arn_"))
_REPLACE = (
    update(RECORDS)
    .where(*_IN_SCOPE, C.key == bindparam("key_"), C.version == bindparam("before"))
    .values(
        arn=bindparam("arn_"),
        parent=bindparam("parent_"),
        status=bindparam("status_"),
        created=bindparam("created_"),
        modified=bindparam("modified_"),
        version=bindparam("after"),
        body=bindparam("body_"),
        hidden=bindparam("hidden_"),
    )
)
_DELETE = delete(RECORDS).where(*_IN_SCOPE, C.key == bindparam("key_"))
_TAGS = select(TAGS.c.key, TAGS.c.value).where(TAGS.c.arn == bindparam("arn_")).order_by(TAGS.c.key)


class SqlTransaction:
    """`Transaction` on one connection."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection

    def insert(self, record: Record) -> Record:
        try:
            self._connection.execute(insert(RECORDS), {**_row(record), "version": 1})
        except IntegrityError as error:
            raise DuplicateKey(f"{record.kind} {record.key}") from error
        return replace(record, version=1)

    def get(self, kind: str, scope: Scope, key: str) -> Record | None:
        return self._one(_GET, {**_where(kind, scope), "key_": key})

    def get_ignoring_case(self, kind: str, scope: Scope, key: str) -> Record | None:
        return self._one(_GET_FOLDED, {**_where(kind, scope), "key_": key.lower()})

    def get_by_arn(self, arn: str) -> Record | None:
        return self._one(_GET_ARN, {"arn_": arn})

    def replace(self, record: Record) -> Record:
        row = _row(record)
        values = {
            f"{name}_": row[name] for name in ("arn", "parent", "status", "created", "modified", "body", "hidden")
        }
        values |= {**_where(record.kind, record.scope), "key_": record.key}
        values |= {"before": record.version, "after": record.version + 1}
        if self._connection.execute(_REPLACE, values).rowcount != 1:
            raise StaleVersion(f"{record.kind} {record.key} is no longer at version {record.version}")
        return replace(record, version=record.version + 1)

    def delete(self, record: Record) -> None:
        self._connection.execute(_DELETE, {**_where(record.kind, record.scope), "key_": record.key})
        self._connection.execute(delete(TAGS).where(TAGS.c.arn == record.arn))

    def page(self, query: Query) -> list[Record]:
        rows = self._connection.execute(self._page_statement(query)).all()
        return [_record(row) for row in rows]

    def by_status(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        statement = select(RECORDS).where(C.kind == kind, C.status.in_(statuses)).order_by(C.created, C.id)
        return [_record(row) for row in self._connection.execute(statement).all()]

    def tags(self, arn: str) -> list[tuple[str, str]]:
        return [(row.key, row.value) for row in self._connection.execute(_TAGS, {"arn_": arn})]

    def set_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        self.drop_tags(arn, tuple(tags))
        if tags:
            rows = [{"arn": arn, "key": key, "value": value} for key, value in tags.items()]
            self._connection.execute(insert(TAGS), rows)

    def drop_tags(self, arn: str, keys: tuple[str, ...]) -> None:
        if keys:
            self._connection.execute(delete(TAGS).where(TAGS.c.arn == arn, TAGS.c.key.in_(keys)))

    def _one(self, statement: Select[Any], values: dict[str, Any]) -> Record | None:
        row = self._connection.execute(statement, values).first()
        return _record(row) if row is not None else None

    def _page_statement(self, query: Query) -> Select[Any]:
        column = SORTS[query.sort]
        conditions = [C.kind == query.kind, C.account == query.scope.account, C.region == query.scope.region]
        if query.statuses:
            conditions.append(
                C.status == query.statuses[0] if len(query.statuses) == 1 else C.status.in_(query.statuses)
            )
        if query.parent is not None:
            conditions.append(C.parent == query.parent)
        if query.contains:
            conditions.append(self._database.contains(C.key, query.contains))
        for time, (after, before) in ((C.created, query.created), (C.modified, query.modified)):
            conditions += [time > after] if after is not None else []
            conditions += [time < before] if before is not None else []
        if query.after is not None:
            here = tuple_(column, C.key)
            conditions.append(here < query.after if query.descending else here > query.after)
        order = (column.desc(), C.key.desc()) if query.descending else (column, C.key)
        return select(RECORDS).where(*conditions).order_by(*order).limit(query.limit)


class SqlStore:
    """`Store` over one database. `objects` is the index of S3's objects in the same one."""

    def __init__(self, where: Path | str) -> None:
        self.database = Database(where)
        # One connection serves an in-memory database: its readers wait like writers.
        self._shared = threading.RLock() if str(where) == ":memory:" else None

    @cached_property
    def objects(self) -> ObjectIndex:
        """The index of S3's objects."""
        from emulator.store.objects import ObjectIndex

        return ObjectIndex(self.database)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """A consistent view."""
        if self._shared is not None:
            with self.write() as transaction:
                yield transaction
            return
        with self.database.read() as connection:
            yield SqlTransaction(self.database, connection)

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """A transaction."""
        with self.database.write() as connection:
            yield SqlTransaction(self.database, connection)

    def reset(self) -> None:
        """Forget everything."""
        with self.database.write() as connection:
            for table in META.sorted_tables:
                connection.execute(delete(table))

    def close(self) -> None:
        """Let go of the files."""
        self.database.close()


def _where(kind: str, scope: Scope) -> dict[str, str]:
    return {"k": kind, "a": scope.account, "r": scope.region}


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
        "body": json.dumps(record.body, separators=(",", ":")),
        "hidden": json.dumps(record.hidden, separators=(",", ":")),
    }


def _record(row: Row[Any]) -> Record:
    return Record(
        kind=row.kind,
        scope=Scope(row.account, row.region),
        key=row.key,
        arn=row.arn,
        body=json.loads(row.body),
        created=row.created,
        modified=row.modified,
        status=row.status,
        parent=row.parent,
        hidden=json.loads(row.hidden),
        version=row.version,
    )
