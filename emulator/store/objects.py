"""The index of S3's objects: which bucket holds which version of which key, and in which blob file its bytes are.

It knows neither files nor HTTP. Methods that drop versions return the blobs that nothing refers to any more: the caller
deletes those files after the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, literal_column, select, update
from sqlalchemy.sql.expression import ColumnElement

from emulator.store.database import Database, Row, Session, Statement, p
from emulator.store.records import DuplicateKey
from emulator.store.tables import BUCKETS, OBJECTS, PARTS, UPLOADS

NULL_VERSION = "null"
LAST = b"\xff"
"""Greater than every byte of UTF-8: key prefix + LAST is behind all keys with that prefix."""


@dataclass(frozen=True)
class Bucket:
    """A bucket. `versioning` is "", "Enabled" or "Suspended"; `document` holds what else was put (policy, tags...)."""

    name: str
    account: str
    region: str
    created: float
    versioning: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker. `facts` is JSON: content type, metadata, checksums, tags..."""

    bucket: str
    key: str
    size: int
    etag: str
    modified: float
    blob: str
    version: str = NULL_VERSION
    latest: bool = True
    marker: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Upload:
    """A multipart upload that is under way."""

    upload: str
    bucket: str
    key: str
    started: float
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One part of an upload."""

    upload: str
    number: int
    size: int
    etag: str
    modified: float
    blob: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """What a listing asks for: keys under `prefix`, behind `after`, rolled up at `delimiter`, up to `limit` entries."""

    bucket: str
    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    limit: int = 1000


B, O, U, P = BUCKETS.c, OBJECTS.c, UPLOADS.c, PARTS.c  # noqa: E741
BUCKET = tuple(B)
VERSION = tuple(column for column in O if column.name != "id")
UPLOAD = tuple(U)
PART = tuple(P)
_ONE: ColumnElement[int] = literal_column("1")
_NONE: ColumnElement[int] = literal_column("0")
_UNDER = (p("prefix") <= O.key, O.key < p("end"))

_BUCKET = Statement(select(*BUCKET).where(B.name == p("name")))
_BUCKETS = Statement(select(*BUCKET).where(B.account == p("account")).order_by(B.name))
_NEW_BUCKET = Statement(insert(BUCKETS).values({c.name: p(c.name) for c in BUCKET}))
_EDIT_BUCKET = Statement(
    update(BUCKETS).where(B.name == p("name")).values(document=p("document"), versioning=p("versioning"))
)
_DROP_BUCKET = Statement(delete(BUCKETS).where(B.name == p("name")))
_ANY_OBJECT = Statement(select(O.id).where(O.bucket == p("bucket")).limit(_ONE))

_SAME_KEY = (O.bucket == p("bucket"), O.key == p("key"))
_LATEST = Statement(select(*VERSION).where(*_SAME_KEY, O.latest == _ONE))
_EXACT = Statement(select(*VERSION).where(*_SAME_KEY, O.version == p("version")))
_PLACE = Statement(select(O.id, O.latest, O.blob).where(*_SAME_KEY, O.version == p("version")))
_NEW_OBJECT = Statement(insert(OBJECTS).values({c.name: p(c.name) for c in VERSION}))
_EDIT_FACTS = Statement(update(OBJECTS).where(*_SAME_KEY, O.version == p("version")).values(facts=p("facts")))
_DROP_OBJECT = Statement(delete(OBJECTS).where(O.id == p("id")))
_NEWEST = Statement(select(O.id).where(*_SAME_KEY).order_by(O.id.desc()).limit(_ONE))
_PROMOTE = Statement(update(OBJECTS).where(O.id == p("id")).values(latest=_ONE))
_DEMOTE = Statement(update(OBJECTS).where(*_SAME_KEY, O.latest == _ONE).values(latest=_NONE))
_LISTED = (O.bucket == p("bucket"), O.latest == _ONE, O.key < p("end"), O.marker == _NONE)
_KEYS_FROM = Statement(select(*VERSION).where(*_LISTED, O.key >= p("start")).order_by(O.key).limit(p("limit")))
_KEYS_AFTER = Statement(select(*VERSION).where(*_LISTED, O.key > p("start")).order_by(O.key).limit(p("limit")))
_ALL = select(*VERSION).where(O.bucket == p("bucket"), *_UNDER).order_by(O.key, O.id.desc()).limit(p("limit"))
_VERSIONS = Statement(_ALL)
_BEHIND = (O.key > p("key")) | ((O.key == p("key")) & (O.id < p("id")))
_VERSIONS_AFTER = Statement(_ALL.where(O.key >= p("key"), _BEHIND))
_BLOBS = Statement(select(O.blob).where(O.blob != p("nothing")))
_BLOB_USED = Statement(select(O.id).where(O.blob == p("blob")).limit(_ONE))

_NEW_UPLOAD = Statement(insert(UPLOADS).values({c.name: p(c.name) for c in UPLOAD}))
_UPLOAD = Statement(select(*UPLOAD).where(U.upload == p("upload")))
_UPLOADS = Statement(
    select(*UPLOAD)
    .where(U.bucket == p("bucket"), U.key >= p("prefix"), U.key < p("end"))
    .order_by(U.key, U.started, U.upload)
)
_DROP_UPLOAD = Statement(delete(UPLOADS).where(U.upload == p("upload")))
_NEW_PART = Statement(insert(PARTS).values({c.name: p(c.name) for c in PART}))
_PART = Statement(select(P.blob).where(P.upload == p("upload"), P.number == p("number")))
_PARTS = Statement(select(*PART).where(P.upload == p("upload")).order_by(P.number))
_DROP_PART = Statement(delete(PARTS).where(P.upload == p("upload"), P.number == p("number")))
_DROP_PARTS = Statement(delete(PARTS).where(P.upload == p("upload")))
_PART_BLOBS = Statement(select(P.blob))
_BLOB_IN_PART = Statement(select(P.upload).where(P.blob == p("blob")).limit(_ONE))


class ObjectIndex:
    """Buckets, versions, uploads and parts. Thread safe; each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- buckets ------------------------------------------------------------------------------------------------

    def create_bucket(self, bucket: Bucket) -> None:
        """Add a bucket; `DuplicateKey` when the name is taken."""
        with self._database.write() as session:
            try:
                session.run(_NEW_BUCKET, **{**vars(bucket), "document": json.dumps(bucket.document)})
            except self._database.integrity_error as error:
                raise DuplicateKey(bucket.name) from error

    def bucket(self, name: str) -> Bucket | None:
        """A bucket by its name."""
        with self._database.read() as session:
            row = session.row(_BUCKET, name=name)
        return _bucket(row) if row is not None else None

    def buckets(self, account: str) -> list[Bucket]:
        """All buckets of an account, by name."""
        with self._database.read() as session:
            return [_bucket(row) for row in session.rows(_BUCKETS, account=account)]

    def update_bucket(self, name: str, document: Mapping[str, Any], versioning: str) -> None:
        """Write a bucket's document and versioning state."""
        with self._database.write() as session:
            session.run(_EDIT_BUCKET, name=name, document=json.dumps(document), versioning=versioning)

    def delete_bucket(self, name: str) -> bool:
        """Remove a bucket; False, and nothing removed, when it still holds a version."""
        with self._database.write() as session:
            if session.row(_ANY_OBJECT, bucket=name) is not None:
                return False
            for row in session.rows(_UPLOADS, bucket=name, prefix=b"", end=LAST):
                session.run(_DROP_PARTS, upload=row[0])
                session.run(_DROP_UPLOAD, upload=row[0])
            session.run(_DROP_BUCKET, name=name)
        return True

    # --- versions -----------------------------------------------------------------------------------------------

    def put(self, version: Version) -> list[str]:
        """Add a version as the latest of its key, in place of one with the same version id. Returns blobs to delete."""
        with self._database.write() as session:
            return _unreferenced(session, _put(session, version))

    def get(self, bucket: str, key: str, version: str | None = None) -> Version | None:
        """A version of a key, or (without `version`) the latest, which may be a delete marker."""
        with self._database.read() as session:
            if version is None:
                row = session.row(_LATEST, bucket=bucket, key=key.encode())
            else:
                row = session.row(_EXACT, bucket=bucket, key=key.encode(), version=version)
        return _version(row) if row is not None else None

    def replace_facts(self, bucket: str, key: str, version: str, facts: Mapping[str, Any]) -> bool:
        """Write the facts of a version (tags, ACL...); False when it is gone."""
        with self._database.write() as session:
            where = {"bucket": bucket, "key": key.encode(), "version": version}
            return bool(session.run(_EDIT_FACTS, **where, facts=_json(facts)).rowcount)

    def delete(self, bucket: str, key: str, version: str) -> list[str]:
        """Remove one version for good; the newest of the rest becomes the latest. Returns blobs to delete."""
        raw = key.encode()
        with self._database.write() as session:
            place = session.row(_PLACE, bucket=bucket, key=raw, version=version)
            if place is None:
                return []
            number, latest, blob = place
            session.run(_DROP_OBJECT, id=number)
            newest = session.row(_NEWEST, bucket=bucket, key=raw) if latest else None
            if newest is not None:
                session.run(_PROMOTE, id=newest[0])
            return _unreferenced(session, [blob])

    def keys(self, listing: Listing) -> Iterator[Version | str]:
        """The latest versions (no delete markers), and rolled-up common prefixes as `str`, in key order."""
        prefix, delimiter = listing.prefix.encode(), listing.delimiter.encode()
        position = listing.after.encode()
        if delimiter and position.startswith(prefix):
            cut = position.find(delimiter, len(prefix))
            if cut >= 0 and cut + len(delimiter) == len(position):
                position += LAST
        left = listing.limit
        with self._database.read() as session:
            while left > 0 and (rows := _rows(session, listing.bucket, prefix, position, left, bool(delimiter))):
                for row in rows:
                    if row[1] < position:
                        continue
                    cut = row[1].find(delimiter, len(prefix)) if delimiter else -1
                    position = row[1] if cut < 0 else row[1][: cut + len(delimiter)] + LAST
                    yield _version(row) if cut < 0 else row[1][: cut + len(delimiter)].decode()
                    left -= 1
                    if not left:
                        break

    def versions(self, bucket: str, prefix: str, after: tuple[str, str] | None, limit: int) -> list[Version]:
        """All versions and delete markers under a prefix, by key, newest first; behind `after` (key, version id)."""
        raw = prefix.encode()
        where = {"bucket": bucket, "prefix": raw, "end": raw + LAST, "limit": limit}
        with self._database.read() as session:
            if after is None:
                return [_version(row) for row in session.rows(_VERSIONS, **where)]
            key = after[0].encode()
            place = session.row(_PLACE, bucket=bucket, key=key, version=after[1])
            number = place[0] if place is not None else 0
            return [_version(row) for row in session.rows(_VERSIONS_AFTER, **where, key=key, id=number)]

    def blobs(self) -> set[str]:
        """Every blob that is referred to: what is not among them in the folder is a leftover."""
        with self._database.read() as session:
            return {row[0] for row in [*session.rows(_BLOBS, nothing=""), *session.rows(_PART_BLOBS)]}

    # --- uploads ------------------------------------------------------------------------------------------------

    def begin_upload(self, upload: Upload) -> None:
        """Add an upload."""
        with self._database.write() as session:
            session.run(_NEW_UPLOAD, **{**vars(upload), "key": upload.key.encode(), "facts": _json(upload.facts)})

    def upload(self, upload: str) -> Upload | None:
        """An upload by its id."""
        with self._database.read() as session:
            row = session.row(_UPLOAD, upload=upload)
        return _upload(row) if row is not None else None

    def uploads(self, bucket: str, prefix: str = "") -> list[Upload]:
        """The uploads of a bucket, by key."""
        raw = prefix.encode()
        with self._database.read() as session:
            return [_upload(row) for row in session.rows(_UPLOADS, bucket=bucket, prefix=raw, end=raw + LAST)]

    def put_part(self, part: Part) -> list[str]:
        """Add a part, in place of one with the same number. Returns blobs to delete."""
        where = {"upload": part.upload, "number": part.number}
        with self._database.write() as session:
            freed = [row[0] for row in session.rows(_PART, **where)]
            session.run(_DROP_PART, **where)
            session.run(_NEW_PART, **{**vars(part), "facts": _json(part.facts)})
            return _unreferenced(session, freed)

    def parts(self, upload: str) -> list[Part]:
        """The parts of an upload, by number."""
        with self._database.read() as session:
            return [Part(*(*row[:-1], json.loads(row[-1]))) for row in session.rows(_PARTS, upload=upload)]

    def finish_upload(self, upload: str, version: Version | None) -> list[str]:
        """End an upload: as an object, or (None) by throwing it away. Returns blobs to delete, its parts among them."""
        with self._database.write() as session:
            freed = [row[5] for row in session.rows(_PARTS, upload=upload)]
            session.run(_DROP_PARTS, upload=upload)
            session.run(_DROP_UPLOAD, upload=upload)
            if version is not None:
                freed += _put(session, version)
            return _unreferenced(session, freed)


def _put(session: Session, version: Version) -> list[str]:
    """Write a version as the latest; the blob of the one that it replaces."""
    key = version.key.encode()
    same = session.row(_PLACE, bucket=version.bucket, key=key, version=version.version)
    if same is not None:
        session.run(_DROP_OBJECT, id=same[0])
    if same is None or not same[1]:
        session.run(_DEMOTE, bucket=version.bucket, key=key)
    row = {**vars(version), "key": key, "facts": _json(version.facts), "latest": 1, "marker": int(version.marker)}
    session.run(_NEW_OBJECT, **row)
    return [same[2]] if same is not None else []


def _rows(session: Session, bucket: str, prefix: bytes, position: bytes, left: int, rolled: bool) -> list[Row]:
    """The next rows behind a position. Few, when common prefixes are rolled up: all of them may be under one."""
    statement, start = (_KEYS_FROM, prefix) if position < prefix else (_KEYS_AFTER, position)
    limit = min(left, 16 if rolled else 1000)
    return session.rows(statement, bucket=bucket, start=start, end=prefix + LAST, limit=limit)


def _unreferenced(session: Session, blobs: list[str]) -> list[str]:
    """Those of `blobs` that no version and no part uses (a copy shares its source's blob)."""
    named = {blob for blob in blobs if blob}
    return [b for b in named if not session.row(_BLOB_USED, blob=b) and not session.row(_BLOB_IN_PART, blob=b)]


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, separators=(",", ":"))


def _bucket(row: Row) -> Bucket:
    return Bucket(*(*row[:-1], json.loads(row[-1])))


def _version(row: Row) -> Version:
    bucket, key, version, latest, marker, size, etag, modified, blob, facts = row
    return Version(
        bucket=bucket,
        key=key.decode(),
        size=size,
        etag=etag,
        modified=modified,
        blob=blob,
        version=version,
        latest=bool(latest),
        marker=bool(marker),
        facts=json.loads(facts),
    )


def _upload(row: Row) -> Upload:
    upload, bucket, key, started, facts = row
    return Upload(upload, bucket, key.decode(), started, json.loads(facts))
