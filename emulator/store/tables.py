"""The tables, and the database behind them: connections, transactions, and what differs between databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
)
from sqlalchemy.pool import QueuePool, StaticPool

META = MetaData()

RECORDS = Table(
    "records",
    META,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("key", String, nullable=False),
    Column("folded", String, nullable=False),
    Column("arn", String, nullable=False, index=True),
    Column("parent", String, nullable=False),
    Column("status", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("modified", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("hidden", Text, nullable=False),
    Index("records_key", "kind", "account", "region", "key", unique=True),
    Index("records_folded", "kind", "account", "region", "folded"),
    Index("records_created", "kind", "account", "region", "created", "key"),
    Index("records_modified", "kind", "account", "region", "modified", "key"),
    Index("records_status", "kind", "status", "account", "region", "created", "key"),
    Index("records_parent", "kind", "account", "region", "parent", "created", "key"),
)

TAGS = Table(
    "tags",
    META,
    Column("arn", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

BUCKETS = Table(
    "buckets",
    META,
    Column("name", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("versioning", String, nullable=False),
    Column("document", Text, nullable=False),
)

# Keys are kept as UTF-8 bytes: S3 lists in the order of bytes, which is not the order of a database's text.
OBJECTS = Table(
    "objects",
    META,
    Column("id", Integer, primary_key=True),
    Column("bucket", String, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("version", String, nullable=False),
    Column("latest", Integer, nullable=False),
    Column("marker", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("etag", String, nullable=False),
    Column("modified", Float, nullable=False),
    Column("blob", String, nullable=False),
    Column("facts", Text, nullable=False),
    Index("objects_version", "bucket", "key", "version", unique=True),
    Index("objects_latest", "bucket", "latest", "key"),
    Index("objects_blob", "blob"),
)

UPLOADS = Table(
    "uploads",
    META,
    Column("upload", String, primary_key=True),
    Column("bucket", String, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("started", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Index("uploads_key", "bucket", "key"),
)

PARTS = Table(
    "parts",
    META,
    Column("upload", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("etag", String, nullable=False),
    Column("modified", Float, nullable=False),
    Column("blob", String, nullable=False),
    Column("facts", Text, nullable=False),
)


class Database:
    """One database for all tables. One writer at a time; with SQLite's WAL, readers never wait for it."""

    def __init__(self, where: Path | str) -> None:
        self.engine = _engine(where)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._writing = threading.RLock()
        META.create_all(self.engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database."""
        with self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose changes are committed at the end of the block, or rolled back when it raises."""
        with self._writing, self.engine.connect() as connection:
            if self.sqlite:
                # Not deferred: a transaction that reads first must not find that somebody else wrote in between.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def contains(self, column: Column[Any], text: str) -> ColumnElement[bool]:
        """Case-sensitive `text in column`, which LIKE is not in SQLite."""
        find = func.instr if self.sqlite else func.strpos
        return find(column, text) > 0

    def close(self) -> None:
        """Let go of the files; a WAL is folded into the database file."""
        self.engine.dispose()


def _engine(where: Path | str) -> Engine:
    text = str(where)
    if "://" in text:
        return create_engine(text)
    if text == ":memory:":
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        Path(text).parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {"poolclass": QueuePool, "pool_size": 16, "max_overflow": 128}
        engine = create_engine(f"sqlite:///{text}", connect_args={"check_same_thread": False}, **options)
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    """SQLite as the house wants it. `isolation_level` None: transactions begin where we say so, not where the driver
    guesses. NORMAL: a commit survives the death of the process (not of the machine's power)."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "cache_size=-1024"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
