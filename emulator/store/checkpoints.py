"""Moves what was committed from SQLite's log into its file, beside the writers: they would wait for the disk otherwise.

A commit writes to the log, which survives the death of the process. SQLite lets the committing connection empty the log
every thousand pages, and wait for the disk twice meanwhile: a third of the time of a short transaction.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

EVERY = 100
"""Commits after which the log is looked at; a short transaction writes about a dozen pages."""

BACKSTOP = 16_000
"""Pages of the log (64 MiB) from which on a writer empties it after all: it would grow as long as nobody pauses."""


class Checkpoints:
    """One thread with a connection of its own, from the first call on that is due. `noted` is called by the writer."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._since = 0
        self._due = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def noted(self) -> None:
        """There was a commit."""
        self._since += 1
        if self._since < EVERY:
            return
        self._since = 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
            self._thread.start()
        self._due.set()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        connection = self._connect()
        try:
            while True:
                self._due.wait()
                self._due.clear()
                if self._closed:
                    return
                with contextlib.suppress(sqlite3.OperationalError):  # a full disk: the log stays, and is tried again
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            connection.close()
