"""The index of S3's objects: which bucket holds which version of which key, and in which blob file its bytes are.

It knows neither files nor HTTP. Methods that drop versions return the blobs that nothing refers to any more: the caller
deletes those files after the commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.call import Extent
from emulator.store import packing, parts
from emulator.store.database import Database, Row, Session
from emulator.store.records import DuplicateKey
from emulator.store.texts import Names

NULL_VERSION = "null"
LAST = b"\xff"
"""Greater than every byte of UTF-8: key prefix + LAST is behind all keys with that prefix."""


sql = Names("object_statements")


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


class ObjectIndex:
    """Buckets, versions, uploads and parts. Thread safe; each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- buckets ------------------------------------------------------------------------------------------------

    def create_bucket(self, bucket: Bucket) -> None:
        """Add a bucket; `DuplicateKey` when the name is taken."""
        with self._database.write() as session:
            try:
                session.run(sql.NEW_BUCKET, **{**vars(bucket), "document": packing.dumps(bucket.document)})
            except self._database.integrity_error as error:
                raise DuplicateKey(bucket.name) from error

    def bucket(self, name: str) -> Bucket | None:
        """A bucket by its name."""
        with self._database.read() as session:
            row = session.row(sql.BUCKET, name=name)
        return bucket_of(row) if row is not None else None

    def buckets(self, account: str) -> list[Bucket]:
        """All buckets of an account, by name."""
        with self._database.read() as session:
            return [bucket_of(row) for row in session.rows(sql.BUCKETS, account=account)]

    def update_bucket(self, name: str, document: Mapping[str, Any], versioning: str) -> None:
        """Write a bucket's document and versioning state."""
        with self._database.write() as session:
            session.run(sql.EDIT_BUCKET, name=name, document=packing.dumps(document), versioning=versioning)

    def delete_bucket(self, name: str) -> bool:
        """Remove a bucket; False, and nothing removed, when it still holds a version."""
        with self._database.write() as session:
            if session.row(sql.ANY_OBJECT, bucket=name) is not None:
                return False
            for row in session.rows(sql.UPLOADS, bucket=name, prefix=b"", end=LAST):
                session.run(sql.DROP_PARTS, upload=row[0])
                session.run(sql.DROP_UPLOAD, upload=row[0])
            session.run(sql.DROP_BUCKET, name=name)
        return True

    def drop(self, extent: Extent) -> tuple[int, list[str]]:
        """Delete the buckets of a part of the house with all that is in them: how many, and blobs to delete."""
        with self._database.write() as session:
            count, blobs = parts.drop_buckets(session, extent)
            return count, _unreferenced(session, blobs)

    # --- versions -----------------------------------------------------------------------------------------------

    def put(self, version: Version) -> list[str]:
        """Add a version as the latest of its key, in place of one with the same version id. Returns blobs to delete."""
        with self._database.write() as session:
            return _unreferenced(session, _put(session, version))

    def get(self, bucket: str, key: str, version: str | None = None) -> Version | None:
        """A version of a key, or (without `version`) the latest, which may be a delete marker."""
        with self._database.read() as session:
            if version is None:
                row = session.row(sql.LATEST, bucket=bucket, key=key.encode())
            else:
                row = session.row(sql.EXACT, bucket=bucket, key=key.encode(), version=version)
        return version_of(row) if row is not None else None

    def replace_facts(self, bucket: str, key: str, version: str, facts: Mapping[str, Any]) -> bool:
        """Write the facts of a version (tags, ACL...); False when it is gone."""
        with self._database.write() as session:
            where = {"bucket": bucket, "key": key.encode(), "version": version}
            return bool(session.run(sql.EDIT_FACTS, **where, facts=_json(facts)).rowcount)

    def delete(self, bucket: str, key: str, version: str) -> list[str]:
        """Remove one version for good; the newest of the rest becomes the latest. Returns blobs to delete."""
        raw = key.encode()
        with self._database.write() as session:
            place = session.row(sql.PLACE, bucket=bucket, key=raw, version=version)
            if place is None:
                return []
            number, latest, blob = place
            session.run(sql.DROP_OBJECT, id=number)
            newest = session.row(sql.NEWEST, bucket=bucket, key=raw) if latest else None
            if newest is not None:
                session.run(sql.PROMOTE, id=newest[0])
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
            # Few at a time, when common prefixes are rolled up: all rows may be under one of them.
            most = 16 if delimiter else 1000
            while left > 0 and (rows := _rows(session, listing.bucket, prefix, position, min(left, most))):
                for row in rows:
                    if row[1] < position:
                        continue
                    cut = row[1].find(delimiter, len(prefix)) if delimiter else -1
                    position = row[1] if cut < 0 else row[1][: cut + len(delimiter)] + LAST
                    yield version_of(row) if cut < 0 else row[1][: cut + len(delimiter)].decode()
                    left -= 1
                    if not left:
                        break

    def versions(self, bucket: str, prefix: str, after: tuple[str, str] | None, limit: int) -> list[Version]:
        """All versions and delete markers under a prefix, by key, newest first; behind `after` (key, version id)."""
        raw = prefix.encode()
        where = {"bucket": bucket, "prefix": raw, "end": raw + LAST, "limit": limit}
        with self._database.read() as session:
            if after is None:
                return [version_of(row) for row in session.rows(sql.VERSIONS, **where)]
            key = after[0].encode()
            place = session.row(sql.PLACE, bucket=bucket, key=key, version=after[1])
            number = place[0] if place is not None else 0
            return [version_of(row) for row in session.rows(sql.VERSIONS_AFTER, **where, key=key, id=number)]

    def blobs(self) -> set[str]:
        """Every blob that is referred to: what is not among them in the folder is a leftover."""
        with self._database.read() as session:
            return {row[0] for row in [*session.rows(sql.BLOBS, nothing=""), *session.rows(sql.PART_BLOBS)]}

    # --- uploads ------------------------------------------------------------------------------------------------

    def begin_upload(self, upload: Upload) -> None:
        """Add an upload."""
        with self._database.write() as session:
            session.run(sql.NEW_UPLOAD, **{**vars(upload), "key": upload.key.encode(), "facts": _json(upload.facts)})

    def upload(self, upload: str) -> Upload | None:
        """An upload by its id."""
        with self._database.read() as session:
            row = session.row(sql.UPLOAD, upload=upload)
        return upload_of(row) if row is not None else None

    def uploads(self, bucket: str, prefix: str = "") -> list[Upload]:
        """The uploads of a bucket, by key."""
        raw = prefix.encode()
        with self._database.read() as session:
            return [upload_of(row) for row in session.rows(sql.UPLOADS, bucket=bucket, prefix=raw, end=raw + LAST)]

    def put_part(self, part: Part) -> list[str]:
        """Add a part, in place of one with the same number. Returns blobs to delete."""
        where = {"upload": part.upload, "number": part.number}
        with self._database.write() as session:
            freed = [row[0] for row in session.rows(sql.PART, **where)]
            session.run(sql.DROP_PART, **where)
            session.run(sql.NEW_PART, **{**vars(part), "facts": _json(part.facts)})
            return _unreferenced(session, freed)

    def parts(self, upload: str) -> list[Part]:
        """The parts of an upload, by number."""
        with self._database.read() as session:
            return [part_of(row) for row in session.rows(sql.PARTS, upload=upload)]

    def finish_upload(self, upload: str, version: Version | None) -> list[str]:
        """End an upload: as an object, or (None) by throwing it away. Returns blobs to delete, its parts among them."""
        with self._database.write() as session:
            freed = [row[5] for row in session.rows(sql.PARTS, upload=upload)]
            session.run(sql.DROP_PARTS, upload=upload)
            session.run(sql.DROP_UPLOAD, upload=upload)
            if version is not None:
                freed += _put(session, version)
            return _unreferenced(session, freed)


def _put(session: Session, version: Version) -> list[str]:
    """Write a version as the latest; the blob of the one that it replaces."""
    key = version.key.encode()
    same = session.row(sql.PLACE, bucket=version.bucket, key=key, version=version.version)
    if same is not None:
        session.run(sql.DROP_OBJECT, id=same[0])
    if same is None or not same[1]:
        session.run(sql.DEMOTE, bucket=version.bucket, key=key)
    row = {**vars(version), "key": key, "facts": _json(version.facts), "latest": 1, "marker": int(version.marker)}
    session.run(sql.NEW_OBJECT, **row)
    return [same[2]] if same is not None else []


def _rows(session: Session, bucket: str, prefix: bytes, position: bytes, limit: int) -> list[Row]:
    """The next rows behind a position."""
    statement, start = (sql.KEYS_FROM, prefix) if position < prefix else (sql.KEYS_AFTER, position)
    return session.rows(statement, bucket=bucket, start=start, end=prefix + LAST, limit=limit)


def _unreferenced(session: Session, blobs: list[str]) -> list[str]:
    """Those of `blobs` that no version and no part uses (a copy shares its source's blob)."""
    named = {blob for blob in blobs if blob}
    return [b for b in named if not session.row(sql.BLOB_USED, blob=b) and not session.row(sql.BLOB_IN_PART, blob=b)]


def _json(facts: Mapping[str, Any]) -> str:
    return packing.dumps(facts)


def bucket_of(row: Row) -> Bucket:
    """The bucket in a row of all columns."""
    return Bucket(*(*row[:-1], packing.loads(row[-1])))


def version_of(row: Row) -> Version:
    """The version in a row of all columns but the id."""
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
        facts=packing.loads(facts),
    )


def upload_of(row: Row) -> Upload:
    """The upload in a row of all columns."""
    upload, bucket, key, started, facts = row
    return Upload(upload, bucket, key.decode(), started, packing.loads(facts))


def part_of(row: Row) -> Part:
    """The part in a row of all columns."""
    return Part(*(*row[:-1], packing.loads(row[-1])))
