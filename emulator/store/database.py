"""Connections, transactions and compiled statements: what every table of the house shares.

Statements are written in SQLAlchemy Core, compiled once per database and executed on the driver's own connection:
the text is SQLAlchemy's, the price of a call is the driver's. All that differs between databases is in `DIALECTS`.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import BindParameter, MetaData, bindparam, create_engine, func
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Dialect:
    """What one database says differently. `substring` is its function (text, part) -> position, or 0."""

    begin_write: str
    begin_read: str
    substring: str
    connect: Mapping[str, Any] = field(default_factory=dict)
    pragmas: tuple[str, ...] = ()


DIALECTS: Mapping[str, Dialect] = {
    "sqlite": Dialect(
        # Not deferred: a transaction that reads first must not find that somebody else wrote in between.
        begin_write="BEGIN IMMEDIATE",
        begin_read="BEGIN",
        substring="instr",
        connect={"isolation_level": None, "check_same_thread": False, "cached_statements": 256},
        pragmas=(
            "PRAGMA busy_timeout=30000",
            "PRAGMA journal_mode=WAL",
            # A commit survives the death of the process; only a power cut can lose the last ones.
            "PRAGMA synchronous=NORMAL",
            "PRAGMA cache_size=-2048",
        ),
    ),
    "postgresql": Dialect(
        begin_write="BEGIN",
        begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        substring="strpos",
        connect={"autocommit": True},
    ),
}


def p(name: str) -> BindParameter[Any]:
    """A parameter of a statement. The underscore keeps its name apart from those of columns."""
    return bindparam(f"{name}_")


class Statement:
    """One statement, told apart from others by its identity: make it once, at module level or in a cache."""

    __slots__ = ("clause",)

    def __init__(self, clause: ClauseElement) -> None:
        self.clause = clause


@dataclass(frozen=True)
class Compiled:
    """A statement's text, the names of its parameters in order (None: they go by name), and constants among them."""

    text: str
    order: tuple[str, ...] | None
    constants: Mapping[str, Any]

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """The driver's second argument."""
        given = {f"{name}_": value for name, value in values.items()}
        if self.constants:
            given |= self.constants
        return given if self.order is None else [given[name] for name in self.order]


def url_of(location: str | Path) -> str:
    """A database URL: paths are SQLite files, everything with a scheme is taken as it is."""
    text = str(location)
    if "://" in text:
        return text
    Path(text).parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{text}"


class Database:
    """One database. Thread safe: one writer at a time, readers have connections of their own and never wait."""

    def __init__(self, location: str | Path, tables: MetaData) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if str(location) in ("", ".", ":memory:"):
            self._folder = tempfile.TemporaryDirectory(prefix="sagelet-store-", ignore_cleanup_errors=True)
            location = Path(self._folder.name) / "house.db"
        url = url_of(location)
        self.dialect = DIALECTS[url.split(":", 1)[0].split("+", 1)[0]]
        self._engine = create_engine(url, poolclass=NullPool, connect_args=dict(self.dialect.connect))
        self._compiled: dict[Statement, Compiled] = {}
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._opened: list[Any] = []
        self._tables = tables
        self._writer = self._connect()
        self._create()

    @property
    def integrity_error(self) -> type[Exception]:
        """What the driver raises when a key is taken."""
        error: type[Exception] = self._engine.dialect.loaded_dbapi.IntegrityError
        return error

    def _connect(self) -> Any:
        opened = self._engine.raw_connection()
        connection: Any = opened.driver_connection
        for pragma in self.dialect.pragmas:
            connection.execute(pragma)
        self._opened.append(opened)
        return connection

    def _create(self) -> None:
        """Tables and indices that are not there yet, in one transaction: one commit instead of twenty."""
        dialect = self._engine.dialect
        with self._lock:
            self._writer.execute(self.dialect.begin_write)
            for table in self._tables.sorted_tables:
                self._writer.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
                for index in sorted(table.indexes, key=lambda index: str(index.name)):
                    self._writer.execute(str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)))
            self._writer.execute("COMMIT")

    def contains(self, column: ColumnElement[Any], part: ColumnElement[Any]) -> ColumnElement[bool]:
        """SQL for "`part` is a substring of `column`", case-sensitive (LIKE is not, in SQLite)."""
        position: ColumnElement[Any] = getattr(func, self.dialect.substring)(column, part)
        return position > func.length("")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that waits for no writer."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        connection.execute(self.dialect.begin_read)
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
                if getattr(connection, "in_transaction", True):
                    connection.execute("ROLLBACK")
                raise

    def compiled(self, statement: Statement) -> Compiled:
        """A statement in this database's words."""
        known = self._compiled.get(statement)
        if known is None:
            compiler = statement.clause.compile(dialect=self._engine.dialect)
            assert isinstance(compiler, SQLCompiler)
            order = tuple(compiler.positiontup or ()) if compiler.positional else None
            constants = {name: value for name, value in compiler.params.items() if not name.endswith("_")}
            known = self._compiled[statement] = Compiled(compiler.string, order, constants)
        return known

    def clear(self) -> None:
        """Empty all tables."""
        with self.write() as session:
            for table in reversed(self._tables.sorted_tables):
                session.run(Statement(table.delete()))

    def close(self) -> None:
        """Let go of the files, after the write in progress."""
        with self._lock:
            opened, self._opened = self._opened, []
            self._idle.clear()
            for connection in opened:
                connection.close()
            self._engine.dispose()
        if self._folder is not None:
            self._folder.cleanup()


class Session:
    """Statements inside one transaction."""

    __slots__ = ("_connection", "database")

    def __init__(self, database: Database, connection: Any) -> None:
        self.database = database
        self._connection = connection

    def run(self, statement: Statement, **values: Any) -> Any:
        """Execute a statement; the driver's cursor."""
        compiled = self.database.compiled(statement)
        return self._connection.execute(compiled.text, compiled.arguments(values))

    def rows(self, statement: Statement, **values: Any) -> list[Row]:
        """All rows of a query."""
        found: list[Row] = self.run(statement, **values).fetchall()
        return found

    def row(self, statement: Statement, **values: Any) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self.run(statement, **values).fetchone()
        return found

    def explain(self, statement: Statement, **values: Any) -> list[str]:
        """How SQLite would answer a query, in its words: for tests that forbid scans."""
        compiled = self.database.compiled(statement)
        rows = self._connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", compiled.arguments(values))
        return [row[3] for row in rows]
