"""Objects as they are kept: the store's index says what exists, blobs hold the bytes, and one lock makes a change
of both one step. What the S3 API and the jobs' storage port share.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from emulator.call import Extent
from emulator.clock import Clock
from emulator.storage import public
from emulator.storage.blobs import Blobs

if TYPE_CHECKING:
    from emulator.store.objects import Bucket, ObjectIndex, Version

NULL_VERSION = "null"


@dataclass(frozen=True)
class Content:
    """Bytes that wait for their object: a finished blob, its size and ETag (without quotes)."""

    blob: str
    size: int
    etag: str


class Shelf:
    """Buckets and objects in `folder` and the index. Thread safe."""

    def __init__(self, index: ObjectIndex, folder: Path, clock: Clock, given: public.Contents = public.nothing) -> None:
        self.index = index
        self.public = public.PublicBuckets(given)
        self.blobs = Blobs(folder, index.blobs)
        self.clock = clock
        self.turn = threading.RLock()
        """Held while a change is decided and committed (never while bytes are moved): conditions stay true."""

    def bucket(self, name: str) -> Bucket | None:
        """A bucket by its name; one of AWS's own is filled when it is first asked for."""
        self.public.fill(self, name)
        return self.index.bucket(name)

    def put(self, bucket: Bucket, key: str, content: Content, facts: Mapping[str, Any], upload: str = "") -> Version:
        """Make content the latest version of a key; `upload` is the multipart upload that ends with it."""
        from emulator.store.objects import Version

        with self.turn:
            version = Version(
                bucket=bucket.name,
                key=key,
                size=content.size,
                etag=content.etag,
                modified=self.clock.now(),
                blob=content.blob,
                version=new_version(bucket),
                facts=facts,
            )
            freed = self.index.finish_upload(upload, version) if upload else self.index.put(version)
            self.blobs.settle(content.blob)
        self.blobs.remove(freed)
        return version

    def mark_deleted(self, bucket: Bucket, key: str) -> Version:
        """Put a delete marker over a key of a bucket with versioning."""
        from emulator.store.objects import Version

        with self.turn:
            marker = Version(
                bucket=bucket.name,
                key=key,
                size=0,
                etag="",
                modified=self.clock.now(),
                blob="",
                version=new_version(bucket),
                marker=True,
            )
            freed = self.index.put(marker)
        self.blobs.remove(freed)
        return marker

    def delete(self, bucket: str, key: str, version: str = NULL_VERSION) -> None:
        """Remove a version for good; nothing happens when it does not exist."""
        with self.turn:
            freed = self.index.delete(bucket, key, version)
        self.blobs.remove(freed)

    def open(self, find: Callable[[], Version]) -> tuple[Version, BinaryIO]:
        """What `find` finds, opened for reading; asked again when it was replaced in between."""
        for _ in range(100):
            version = find()
            try:
                return version, self.blobs.open(version.blob)
            except FileNotFoundError:
                continue
        raise FileNotFoundError(f"The bytes of s3://{version.bucket}/{version.key} are missing: {version.blob}")

    @contextmanager
    def draft(self, chunks: Iterator[bytes]) -> Iterator[Content]:
        """Chunks written to a blob, with their MD5 as ETag; dropped unless the block makes an object of it."""
        draft, digest = self.blobs.write(), hashlib.md5(usedforsecurity=False)
        try:
            for chunk in chunks:
                digest.update(chunk)
                draft.write(chunk)
            yield Content(draft.finish(), draft.size, digest.hexdigest())
        except BaseException:
            draft.drop()
            raise

    def drop(self, extent: Extent) -> int:
        """Delete the buckets of a part of the house with all that is in them; how many there were."""
        with self.turn:
            count, freed = self.index.drop(extent)
        self.blobs.remove(freed)
        return count

    def clear(self) -> None:
        """Delete all bytes, when the index has been emptied."""
        with self.turn:
            self.blobs.clear()


def new_version(bucket: Bucket) -> str:
    """The version id that a new version of a key in this bucket gets."""
    return secrets.token_urlsafe(24) if bucket.versioning == "Enabled" else NULL_VERSION
