"""Connections, transactions and compiled statements: what every table of the house shares.

Statements are written in SQLAlchemy Core, compiled once per database and executed on the driver's own connection:
the text is SQLAlchemy's, the price of a call is the driver's. All that differs between databases is in `DIALECTS`.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, func
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Dialect:
    """What one database says differently. `substring` is the name of its function (text, part) -> position or 0."""

    begin_write: str
    substring: str
    connect: Mapping[str, Any] = field(default_factory=dict)
    pragmas: tuple[str, ...] = ()


DIALECTS: Mapping[str, Dialect] = {
    "sqlite": Dialect(
        begin_write="BEGIN IMMEDIATE",
        substring="instr",
        connect={"isolation_level": None, "check_same_thread": False, "cached_statements": 256},
        pragmas=(
            "PRAGMA busy_timeout=30000",
            "PRAGMA journal_mode=WAL",
            # A commit is in the file when it is acknowledged; only a power cut can lose the last ones.
            "PRAGMA synchronous=NORMAL",
            "PRAGMA cache_size=-4096",
        ),
    ),
    "postgresql": Dialect(begin_write="BEGIN", substring="strpos", connect={"autocommit": True}),
}


def url_of(location: str | Path) -> str:
    """A database URL: paths are SQLite files, everything with a scheme is taken as it is."""
    text = str(location)
    return text if "://" in text else f"sqlite:///{text}"


class Database:
    """One database. Thread safe: one writer at a time, readers have connections of their own and never wait."""

    def __init__(self, location: str | Path, tables: MetaData) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if not location:
            self._folder = tempfile.TemporaryDirectory(prefix="sagelet-store-", ignore_cleanup_errors=True)
            location = Path(self._folder.name) / "house.db"
        url = url_of(location)
        self.dialect = DIALECTS[url.split(":", 1)[0].split("+", 1)[0]]
        self._engine = create_engine(url, poolclass=NullPool, connect_args=dict(self.dialect.connect))
        self._compiled: dict[Hashable, tuple[str, Sequence[str] | None]] = {}
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._all: list[Any] = []
        self._tables = tables
        tables.create_all(self._engine)
        self._writer = self._connect()

    def _connect(self) -> Any:
        fairy = self._engine.raw_connection()
        connection = fairy.driver_connection
        assert connection is not None
        for pragma in self.dialect.pragmas:
            connection.execute(pragma)
        self._all.append(fairy)
        return connection

    def contains(self, column: ColumnElement[Any], part: ColumnElement[Any]) -> ColumnElement[bool]:
        """SQL for "`part` is a substring of `column`", case-sensitive (LIKE is not, in SQLite)."""
        position: Any = getattr(func, self.dialect.substring)(column, part)
        return position > 0  # type: ignore[no-any-return]

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that waits for no writer."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        connection.execute("BEGIN")
        try:
            yield Session(self, connection)
        finally:
            connection.execute("ROLLBACK")
            self._idle.append(connection)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Committed when the block ends, rolled back when it raises."""
        with self._lock:
            connection = self._writer
            connection.execute(self.dialect.begin_write)
            try:
                yield Session(self, connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def compiled(self, name: Hashable, build: Callable[[], ClauseElement]) -> tuple[str, Sequence[str] | None]:
        """The text of a statement and its parameters in order (None: they go by name); `name` identifies it."""
        known = self._compiled.get(name)
        if known is None:
            compiler = build().compile(dialect=self._engine.dialect)
            assert isinstance(compiler, SQLCompiler)
            order = compiler.positiontup
            known = self._compiled[name] = (compiler.string, order if compiler.positional else None)
        return known

    def clear(self) -> None:
        """Empty all tables."""
        with self.write() as session:
            for table in reversed(self._tables.sorted_tables):
                session.run(("clear", table.name), table.delete)

    def close(self) -> None:
        """Let go of the files, after the write in progress."""
        with self._lock:
            fairies, self._all = self._all, []
            for fairy in fairies:
                fairy.close()
            self._engine.dispose()
        if self._folder is not None:
            self._folder.cleanup()


class Session:
    """Statements inside one transaction."""

    __slots__ = ("_connection", "database")

    def __init__(self, database: Database, connection: Any) -> None:
        self.database = database
        self._connection = connection

    def run(self, name: Hashable, build: Callable[[], ClauseElement], **values: Any) -> Any:
        """Execute the statement `name` (compiled from `build()` the first time); the driver's cursor."""
        text, order = self.database.compiled(name, build)
        if order is None:
            return self._connection.execute(text, values)
        return self._connection.execute(text, [values[key] for key in order])

    def rows(self, name: Hashable, build: Callable[[], ClauseElement], **values: Any) -> list[Row]:
        """All rows of a query."""
        return list(self.run(name, build, **values).fetchall())

    def row(self, name: Hashable, build: Callable[[], ClauseElement], **values: Any) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self.run(name, build, **values).fetchone()
        return found

    def explain(self, name: Hashable, build: Callable[[], ClauseElement], **values: Any) -> list[str]:
        """How the database would answer a query (SQLite's words): for tests that forbid scans."""
        text, order = self.database.compiled(name, build)
        return [
            row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {text}", [values[k] for k in order or ()])
        ]
