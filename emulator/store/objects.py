"""The index of S3's objects: which bucket holds which version of which key, and in which blob file its bytes are.

It knows neither files nor HTTP. Methods that drop versions return the blobs that nothing refers to any more: the caller
deletes those files after the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from emulator.store.records import DuplicateKey
from emulator.store.tables import BUCKETS, OBJECTS, PARTS, UPLOADS, Database

NULL_VERSION = "null"
O = OBJECTS.c  # noqa: E741
LAST = b"\xff"
"""Greater than every byte of UTF-8: key prefix + LAST is behind all keys with that prefix."""

_BUCKET = select(BUCKETS).where(BUCKETS.c.name == bindparam("name_"))
_LATEST = select(OBJECTS).where(O.bucket == bindparam("bucket_"), O.latest == 1, O.key == bindparam("key_"))
_EXACT = select(OBJECTS).where(
    O.bucket == bindparam("bucket_"), O.key == bindparam("key_"), O.version == bindparam("version_")
)


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
        row = {**vars(bucket), "document": json.dumps(bucket.document)}
        with self._database.write() as connection:
            try:
                connection.execute(insert(BUCKETS), row)
            except IntegrityError as error:
                raise DuplicateKey(bucket.name) from error

    def bucket(self, name: str) -> Bucket | None:
        """A bucket by its name."""
        with self._database.read() as connection:
            row = connection.execute(_BUCKET, {"name_": name}).first()
        return _bucket(row) if row is not None else None

    def buckets(self, account: str) -> list[Bucket]:
        """All buckets of an account, by name."""
        with self._database.read() as connection:
            statement = select(BUCKETS).where(BUCKETS.c.account == account).order_by(BUCKETS.c.name)
            return [_bucket(row) for row in connection.execute(statement)]

    def update_bucket(self, name: str, document: Mapping[str, Any], versioning: str) -> None:
        """Write a bucket's document and versioning state."""
        with self._database.write() as connection:
            values = {"document": json.dumps(document), "versioning": versioning}
            connection.execute(update(BUCKETS).where(BUCKETS.c.name == name).values(**values))

    def delete_bucket(self, name: str) -> bool:
        """Remove a bucket; False, and nothing removed, when it still holds a version."""
        with self._database.write() as connection:
            if connection.execute(select(O.id).where(O.bucket == name).limit(1)).first() is not None:
                return False
            mine = select(UPLOADS.c.upload).where(UPLOADS.c.bucket == name)
            connection.execute(delete(PARTS).where(PARTS.c.upload.in_(mine)))
            connection.execute(delete(UPLOADS).where(UPLOADS.c.bucket == name))
            connection.execute(delete(BUCKETS).where(BUCKETS.c.name == name))
        return True

    # --- versions -----------------------------------------------------------------------------------------------

    def put(self, version: Version) -> list[str]:
        """Add a version as the latest of its key, in place of one with the same version id. Returns blobs to delete."""
        key = version.key.encode()
        with self._database.write() as connection:
            freed = self._clear_way(connection, version, key)
            connection.execute(insert(OBJECTS), _version_row(version, key))
            return _unreferenced(connection, freed)

    def get(self, bucket: str, key: str, version: str | None = None) -> Version | None:
        """A version of a key, or (without `version`) the latest, which may be a delete marker."""
        with self._database.read() as connection:
            if version is None:
                row = connection.execute(_LATEST, {"bucket_": bucket, "key_": key.encode()}).first()
            else:
                values = {"bucket_": bucket, "key_": key.encode(), "version_": version}
                row = connection.execute(_EXACT, values).first()
        return _version(row) if row is not None else None

    def replace_facts(self, bucket: str, key: str, version: str, facts: Mapping[str, Any]) -> bool:
        """Write the facts of a version (tags, ACL...); False when it is gone."""
        where = (O.bucket == bucket, O.key == key.encode(), O.version == version)
        with self._database.write() as connection:
            done = connection.execute(update(OBJECTS).where(*where).values(facts=json.dumps(facts)))
            return bool(done.rowcount)

    def delete(self, bucket: str, key: str, version: str) -> list[str]:
        """Remove one version for good; the newest of the rest becomes the latest. Returns blobs to delete."""
        raw = key.encode()
        with self._database.write() as connection:
            values = {"bucket_": bucket, "key_": raw, "version_": version}
            row = connection.execute(_EXACT, values).first()
            if row is None:
                return []
            connection.execute(delete(OBJECTS).where(O.id == row.id))
            if row.latest:
                self._promote(connection, bucket, raw)
            return _unreferenced(connection, [row.blob])

    def keys(self, listing: Listing) -> Iterator[Version | str]:
        """The latest versions (no delete markers) as `Version`, and rolled-up common prefixes as `str`, in key order."""
        prefix, delimiter = listing.prefix.encode(), listing.delimiter.encode()
        position = listing.after.encode()
        if delimiter and position.startswith(prefix):
            cut = position.find(delimiter, len(prefix))
            if cut >= 0 and cut + len(delimiter) == len(position):
                position += LAST
        left = listing.limit
        with self._database.read() as connection:
            while left > 0 and (rows := self._rows(connection, listing.bucket, prefix, position, left)):
                for row in rows:
                    cut = row.key.find(delimiter, len(prefix)) if delimiter else -1
                    position = row.key if cut < 0 else row.key[: cut + len(delimiter)] + LAST
                    yield _version(row) if cut < 0 else row.key[: cut + len(delimiter)].decode()
                    left -= 1
                    # Behind a common prefix the rows at hand may all be under it: ask anew behind it.
                    if cut >= 0 or not left:
                        break

    def versions(self, bucket: str, prefix: str, after: tuple[str, str] | None, limit: int) -> list[Version]:
        """All versions and delete markers under a prefix: by key, newest first. `after` is (key, version) of the last."""
        raw = prefix.encode()
        conditions = [O.bucket == bucket, O.key >= raw, O.key < raw + LAST]
        with self._database.read() as connection:
            if after is not None:
                key, version = after[0].encode(), after[1]
                seen = connection.execute(_EXACT, {"bucket_": bucket, "key_": key, "version_": version}).first()
                conditions.append((O.key > key) | ((O.key == key) & (O.id < (seen.id if seen is not None else 0))))
            statement = select(OBJECTS).where(*conditions).order_by(O.key, O.id.desc()).limit(limit)
            return [_version(row) for row in connection.execute(statement)]

    def blobs(self) -> set[str]:
        """Every blob that is referred to: what is not among them in the folder is a leftover."""
        with self._database.read() as connection:
            kept = {row.blob for row in connection.execute(select(O.blob).where(O.blob != ""))}
            return kept | {row.blob for row in connection.execute(select(PARTS.c.blob))}

    # --- uploads ------------------------------------------------------------------------------------------------

    def begin_upload(self, upload: Upload) -> None:
        """Add an upload."""
        with self._database.write() as connection:
            row = {**vars(upload), "key": upload.key.encode(), "facts": json.dumps(upload.facts)}
            connection.execute(insert(UPLOADS), row)

    def upload(self, upload: str) -> Upload | None:
        """An upload by its id."""
        with self._database.read() as connection:
            row = connection.execute(select(UPLOADS).where(UPLOADS.c.upload == upload)).first()
        return _upload(row) if row is not None else None

    def uploads(self, bucket: str, prefix: str = "") -> list[Upload]:
        """The uploads of a bucket, by key."""
        raw = prefix.encode()
        where = (UPLOADS.c.bucket == bucket, UPLOADS.c.key >= raw, UPLOADS.c.key < raw + LAST)
        with self._database.read() as connection:
            statement = select(UPLOADS).where(*where).order_by(UPLOADS.c.key, UPLOADS.c.started)
            return [_upload(row) for row in connection.execute(statement)]

    def put_part(self, part: Part) -> list[str]:
        """Add a part, in place of one with the same number. Returns blobs to delete."""
        where = (PARTS.c.upload == part.upload, PARTS.c.number == part.number)
        with self._database.write() as connection:
            freed = [row.blob for row in connection.execute(select(PARTS.c.blob).where(*where))]
            connection.execute(delete(PARTS).where(*where))
            connection.execute(insert(PARTS), {**vars(part), "facts": json.dumps(part.facts)})
        return freed

    def parts(self, upload: str) -> list[Part]:
        """The parts of an upload, by number."""
        with self._database.read() as connection:
            statement = select(PARTS).where(PARTS.c.upload == upload).order_by(PARTS.c.number)
            return [Part(**{**row._mapping, "facts": json.loads(row.facts)}) for row in connection.execute(statement)]

    def finish_upload(self, upload: str, version: Version | None) -> list[str]:
        """End an upload: as an object, or (None) by throwing it away. Returns blobs to delete, its parts among them."""
        with self._database.write() as connection:
            freed = [r.blob for r in connection.execute(select(PARTS.c.blob).where(PARTS.c.upload == upload))]
            connection.execute(delete(PARTS).where(PARTS.c.upload == upload))
            connection.execute(delete(UPLOADS).where(UPLOADS.c.upload == upload))
            if version is not None:
                key = version.key.encode()
                freed += self._clear_way(connection, version, key)
                connection.execute(insert(OBJECTS), _version_row(version, key))
            return _unreferenced(connection, freed)

    # --- within a transaction -----------------------------------------------------------------------------------

    def _clear_way(self, connection: Connection, version: Version, key: bytes) -> list[str]:
        values = {"bucket_": version.bucket, "key_": key, "version_": version.version}
        same = connection.execute(_EXACT, values).first()
        if same is not None:
            connection.execute(delete(OBJECTS).where(O.id == same.id))
        if same is None or not same.latest:
            where = (O.bucket == version.bucket, O.latest == 1, O.key == key)
            connection.execute(update(OBJECTS).where(*where).values(latest=0))
        return [same.blob] if same is not None else []

    def _promote(self, connection: Connection, bucket: str, key: bytes) -> None:
        where = (O.bucket == bucket, O.key == key)
        newest = connection.execute(select(O.id).where(*where).order_by(O.id.desc()).limit(1)).first()
        if newest is not None:
            connection.execute(update(OBJECTS).where(O.id == newest.id).values(latest=1))

    def _rows(self, connection: Connection, bucket: str, prefix: bytes, position: bytes, left: int) -> list[Row[Any]]:
        start = max(position, prefix)
        at = O.key >= start if position < prefix else O.key > start
        where = (O.bucket == bucket, O.latest == 1, at, O.key < prefix + LAST, O.marker == 0)
        statement = select(OBJECTS).where(*where).order_by(O.key).limit(min(left, 1000))
        return list(connection.execute(statement))


def _unreferenced(connection: Connection, blobs: list[str]) -> list[str]:
    """Those of `blobs` that no version and no part uses (a copy shares its source's blob)."""
    free = []
    for blob in {blob for blob in blobs if blob}:
        used = connection.execute(select(O.id).where(O.blob == blob).limit(1)).first()
        if used is None and connection.execute(select(PARTS.c.upload).where(PARTS.c.blob == blob)).first() is None:
            free.append(blob)
    return free


def _bucket(row: Row[Any]) -> Bucket:
    return Bucket(row.name, row.account, row.region, row.created, row.versioning, json.loads(row.document))


def _version_row(version: Version, key: bytes) -> dict[str, Any]:
    row = {**vars(version), "key": key, "facts": json.dumps(version.facts, separators=(",", ":"))}
    return {**row, "latest": 1, "marker": int(version.marker)}


def _version(row: Row[Any]) -> Version:
    return Version(
        bucket=row.bucket,
        key=row.key.decode(),
        size=row.size,
        etag=row.etag,
        modified=row.modified,
        blob=row.blob,
        version=row.version,
        latest=bool(row.latest),
        marker=bool(row.marker),
        facts=json.loads(row.facts),
    )


def _upload(row: Row[Any]) -> Upload:
    return Upload(row.upload, row.bucket, row.key.decode(), row.started, json.loads(row.facts))
