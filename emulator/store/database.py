"""Connections, transactions and compiled statements: what every table of the house shares.

Statements are written in SQLAlchemy Core, their texts remembered (`texts`) and executed on the driver's own connection:
the text is SQLAlchemy's, the price of a call is the driver's. All that differs between databases is in `DIALECTS`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.store.checkpoints import BACKSTOP, Checkpoints
from emulator.store.reserve import Reserve
from emulator.store.texts import Texts

Row = tuple[Any, ...]

LARGE = 32 * 1024 * 1024
"""Bytes of a file that is made small when it is emptied."""


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
            f"PRAGMA wal_autocheckpoint={BACKSTOP}",
        ),
    ),
    "postgresql": Dialect(
        begin_write="BEGIN",
        begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        substring="strpos",
        connect={"autocommit": True},
    ),
}


TABLES = (
    *("search_terms", "search_properties", "search_notes"),
    *("tags", "links", "marks", "records", "parts", "uploads", "objects", "buckets"),
)
"""All tables; a test compares them with `tables.META`."""


@dataclass(frozen=True)
class Opener:
    """How connections of a driver are made, and what it raises when a key is taken."""

    connect: Callable[[], Any]
    integrity_error: type[Exception]


def _opener(url: str, dialect: Dialect) -> Opener:
    if url.startswith("sqlite:///"):
        path = url[len("sqlite:///") :]
        return Opener(lambda: sqlite3.connect(path, **dialect.connect), sqlite3.IntegrityError)
    from sqlalchemy import create_engine

    # Connections are ours to keep and close: the driver makes them, no pool of SQLAlchemy's.
    engine = create_engine(url)
    driver: Any = engine.dialect.loaded_dbapi
    arguments, options = engine.dialect.create_connect_args(engine.url)
    return Opener(lambda: driver.connect(*arguments, **options, **dialect.connect), driver.IntegrityError)


def url_of(location: str | Path) -> str:
    """A database URL: paths are SQLite files, everything with a scheme is taken as it is."""
    text = str(location)
    if "://" in text:
        return text
    Path(text).parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{text}"


class ClosedError(RuntimeError):
    """Asked of a database that is closed: by a thread that has outlived its house."""


class Database:
    """One database. Thread safe: one writer at a time, readers have connections of their own and never wait."""

    def __init__(self, location: str | Path) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if str(location) in ("", ".", ":memory:"):
            self._folder = tempfile.TemporaryDirectory(prefix="sagelet-store-", ignore_cleanup_errors=True)
            location = Path(self._folder.name) / "house.db"
        url = url_of(location)
        self.dialect = DIALECTS[url.split(":", 1)[0].split("+", 1)[0]]
        self._open = _opener(url, self.dialect)
        self.texts = Texts(url, self.dialect.substring)
        self.commits = 0
        """How often was written: what was read before stays true while this stays the same."""
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._closed = False
        file = url.partition("sqlite:///")[2]
        self._file = Path(file) if file else None
        self._reserve = Reserve(Path(f"{file}-reserve")) if file else None
        self._writer = self._connect()
        self._checkpoints = Checkpoints(self._connect) if file else None
        self._create()

    @property
    def integrity_error(self) -> type[Exception]:
        """What the driver raises when a key is taken."""
        return self._open.integrity_error

    def _connect(self) -> Any:
        connection = self._open.connect()
        try:
            for pragma in self.dialect.pragmas:
                connection.execute(pragma)
        except BaseException:  # what is no database says so now
            connection.close()
            raise
        return connection

    def _create(self) -> None:
        """Tables and indices that are not there yet, in one transaction: one commit instead of twenty."""
        with self._lock:
            self._writer.execute(self.dialect.begin_write)
            for text in self.texts.schema():
                self._writer.execute(text)
            self._writer.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that waits for no writer. `ClosedError` once the database is closed."""
        if self._closed:
            raise ClosedError("the database is closed")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.execute(self.dialect.begin_read)
        except BaseException:
            connection.close()
            raise
        try:
            yield Session(self, connection)
        finally:
            connection.execute("ROLLBACK")
            self._idle.append(connection)
            if self._closed:
                self._close_idle()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Committed when the block ends, rolled back when it raises. `ClosedError` once the database is closed."""
        with self._lock:
            if self._closed:
                raise ClosedError("the database is closed")
            connection = self._writer
            connection.execute(self.dialect.begin_write)
            session = Session(self, connection)
            try:
                yield session
                connection.execute("COMMIT")
                self.commits += 1
                for told in session.committed:
                    told()
            except BaseException as error:
                if getattr(connection, "in_transaction", True):
                    connection.execute("ROLLBACK")
                self._make_room(error)
                raise
            if self._reserve is not None:
                self._reserve.lay()
            if self._checkpoints is not None:
                self._checkpoints.noted()

    def _make_room(self, error: BaseException) -> None:
        """On a full disk: whoever tries again finds room."""
        if self._reserve is not None and isinstance(error, sqlite3.Error) and "full" in str(error):
            self._reserve.spend()

    def clear(self) -> None:
        """Empty all tables; a file that had grown large becomes small again."""
        with self.write() as session:
            for name in TABLES:
                session.execute(f"DELETE FROM {name}")
        if self._file is not None and self._file.stat().st_size > LARGE:
            with self._lock, contextlib.suppress(sqlite3.OperationalError):  # somebody reads
                self._writer.execute("VACUUM")
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the files, after the write in progress. Who is reading still reads to the end: a connection that is
        closed in the middle of a statement of another thread takes the process with it.
        """
        with self._lock:
            if not self._closed:
                self._closed = True
                if self._checkpoints is not None:
                    self._checkpoints.close()
                self._writer.close()
            self._close_idle()
        if self._folder is not None:
            self._folder.cleanup()

    def _close_idle(self) -> None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            connection.close()


class Session:
    """Statements inside one transaction."""

    __slots__ = ("_connection", "committed", "database")

    def __init__(self, database: Database, connection: Any) -> None:
        self.database = database
        self.committed: list[Callable[[], None]] = []
        """Told when the transaction is committed, before the next writer."""
        self._connection = connection

    def run(self, statement: str, **values: Any) -> Any:
        """Execute a statement; the driver's cursor."""
        compiled = self.database.texts.get(statement)
        return self._connection.execute(compiled.text, compiled.arguments(values))

    def many(self, statement: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Execute a statement once for each mapping of its parameters."""
        compiled = self.database.texts.get(statement)
        self._connection.cursor().executemany(compiled.text, [compiled.arguments(one) for one in values])

    def execute(self, text: str) -> None:
        """Execute SQL that is the same in every database."""
        self._connection.execute(text)

    def rows(self, statement: str, **values: Any) -> list[Row]:
        """All rows of a query."""
        found: list[Row] = self.run(statement, **values).fetchall()
        return found

    def row(self, statement: str, **values: Any) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self.run(statement, **values).fetchone()
        return found

    def explain(self, statement: str, **values: Any) -> list[str]:
        """How SQLite would answer a query, in its words: for tests that forbid scans."""
        compiled = self.database.texts.get(statement)
        rows = self._connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", compiled.arguments(values))
        return [row[3] for row in rows]
