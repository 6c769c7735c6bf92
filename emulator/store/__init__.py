"""Remembers records and answers queries about them, atomically; keeps the index of S3 objects too.

Knows SQL, and nothing of SageMaker: what a status means, which errors a caller sees, is said in `resources`.
The database driver and SQLAlchemy are imported here only, and only when a store is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emulator.store.links import Link, Linked, LinkQuery, Mark
from emulator.store.records import DuplicateKey, Query, Record, StaleVersion, Store, Transaction

if TYPE_CHECKING:
    from emulator.store.sql import SqlStore

__all__ = [
    "SCHEMA",
    "DuplicateKey",
    "Link",
    "LinkQuery",
    "Linked",
    "Mark",
    "Query",
    "Record",
    "StaleVersion",
    "Store",
    "Transaction",
    "open_store",
]

SCHEMA = 1
"""The number of the form in which state is kept, in the data folder and in snapshots."""


def open_store(where: Path | str = "") -> SqlStore:
    """The store behind a file path or a database URL; without either, a private one that is gone when closed."""
    from emulator.store.sql import SqlStore

    return SqlStore(where)
