"""All that a store holds, read in one view from beginning to end; and the opposite, a new store filled with it.

Indices that can be made again (that of Search) are left out.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from emulator.store import packing, sql_links
from emulator.store.database import Row, Session
from emulator.store.links import Link, Mark
from emulator.store.objects import Bucket, Part, Upload, Version, bucket_of, part_of, upload_of, version_of
from emulator.store.records import DuplicateKey, Record
from emulator.store.texts import Names

SQL = Names("dump_statements")
OBJECTS = Names("object_statements")
T = TypeVar("T")


@dataclass(frozen=True)
class Held:
    """How much there is: records by kind, versions of objects and parts of uploads, and the bytes of these."""

    records: Mapping[str, int]
    objects: int
    bytes: int


class Dump:
    """One consistent view. Nothing is held but the row that is read."""

    def __init__(self, session: Session, record_of: Callable[[Row], Record]) -> None:
        self._session = session
        self._record_of = record_of

    def held(self) -> Held:
        """How much there is."""
        counts: dict[str, int] = dict(self._session.rows(SQL.COUNTS))
        (objects, size), (parts, more) = (self._session.rows(name)[0] for name in (SQL.OBJECTS_HELD, SQL.PARTS_HELD))
        return Held(counts, objects + parts, size + more)

    def records(self, kind: str) -> Iterator[Record]:
        """The records of a kind."""
        return self._each(SQL.RECORDS, self._record_of, kind=kind)

    def tags(self) -> Iterator[tuple[str, str, str]]:
        """(ARN, key, value) of every tag, by ARN."""
        return self._each(SQL.TAGS, lambda row: (row[0], row[1], row[2]))

    def links(self) -> Iterator[Link]:
        """Links, oldest first."""
        return self._each(SQL.LINKS, sql_links.link_of)

    def marks(self) -> Iterator[Mark]:
        """What is to be come back to."""
        return self._each(SQL.MARKS, lambda row: Mark(row[0], row[1], bool(row[2])))

    def buckets(self) -> Iterator[Bucket]:
        """Buckets by name."""
        return self._each(SQL.BUCKETS, bucket_of)

    def versions(self) -> Iterator[Version]:
        """Versions of objects, and delete markers, in the order in which they were put."""
        return self._each(SQL.VERSIONS, version_of)

    def uploads(self) -> Iterator[Upload]:
        """Uploads under way."""
        return self._each(SQL.UPLOADS, upload_of)

    def parts(self) -> Iterator[Part]:
        """Their parts."""
        return self._each(SQL.PARTS, part_of)

    def blobs(self) -> Iterator[str]:
        """Every blob that is referred to, once."""
        return self._each(SQL.BLOBS, lambda row: str(row[0]), nothing="")

    def _each(self, statement: str, made: Callable[[Row], T], **values: Any) -> Iterator[T]:
        for row in self._session.run(statement, **values):
            yield made(row)


class Filling:
    """A new store is filled, in one transaction. `ValueError` for what cannot be a row; all else is believed."""

    def __init__(self, session: Session, row_of: Callable[[Record], dict[str, Any]]) -> None:
        self._session = session
        self._row_of = row_of

    def record(self, record: Record) -> None:
        """Add a record, with its version."""
        self._run("record_statements:INSERT", **self._row_of(record))

    def tag(self, arn: str, key: str, value: str) -> None:
        """Add a tag."""
        self._run("record_statements:ADD_TAG", arn=arn, key=key, value=value)

    def link(self, link: Link) -> None:
        """Add a link."""
        with _told():
            sql_links.insert(self._session, link)

    def mark(self, mark: Mark) -> None:
        """Add a mark."""
        with _told():
            sql_links.mark(self._session, mark)

    def bucket(self, bucket: Bucket) -> None:
        """Add a bucket."""
        self._run(OBJECTS.NEW_BUCKET, **{**vars(bucket), "document": packing.dumps(bucket.document)})

    def version(self, version: Version) -> None:
        """Add a version of an object, newer than those that were added before."""
        row = {**vars(version), "latest": int(version.latest), "marker": int(version.marker)}
        self._run(OBJECTS.NEW_OBJECT, **row | _packed(version.key, version.facts))

    def upload(self, upload: Upload) -> None:
        """Add an upload that is under way."""
        self._run(OBJECTS.NEW_UPLOAD, **vars(upload) | _packed(upload.key, upload.facts))

    def part(self, part: Part) -> None:
        """Add a part of an upload."""
        self._run(OBJECTS.NEW_PART, **vars(part) | {"facts": packing.dumps(part.facts)})

    def _run(self, statement: str, **values: Any) -> None:
        with _told():
            self._session.run(statement, **values)


@contextmanager
def _told() -> Iterator[None]:
    """What cannot be a row is a `ValueError`."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError) as error:
        raise ValueError(str(error)) from error
    except DuplicateKey as error:
        raise ValueError(f"{error} is there twice") from error


@contextmanager
def told_of_a_full_disk() -> Iterator[None]:
    """As the system tells it, not the driver."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" not in str(error):
            raise
        raise OSError(errno.ENOSPC, str(error)) from error


def _packed(key: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": key.encode(), "facts": packing.dumps(facts)}
