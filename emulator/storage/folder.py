"""The storage port over our own objects: what jobs read and write is what clients see through the S3 API."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from emulator.ports import ObjectInfo
from emulator.storage import uri
from emulator.storage.blobs import CHUNK, copy_out, hand_out
from emulator.storage.shelf import Shelf

if TYPE_CHECKING:
    from emulator.store.objects import Bucket, Version

_PAGE = 1000


@dataclass(frozen=True)
class _Listed(ObjectInfo):
    """An object of a listing, with its blob: it is found again without the index."""

    blob: str


class FolderStorage:
    """`ports.Storage` over a shelf."""

    def __init__(self, shelf: Shelf, account: str) -> None:
        self._shelf = shelf
        self._account = account

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix`, in key order."""
        from emulator.store.objects import Listing, Version

        self._bucket(bucket)
        after = ""
        while True:
            page = list(self._shelf.index.keys(Listing(bucket, prefix=prefix, after=after, limit=_PAGE)))
            for entry in page:
                assert isinstance(entry, Version)
                yield _Listed(bucket, entry.key, entry.size, entry.etag, entry.blob)
                after = entry.key
            if len(page) < _PAGE:
                return

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """One object's facts."""
        found = self._find(bucket, key)
        return ObjectInfo(bucket, key, found.size, found.etag)

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Read an object as a stream."""
        return self._shelf.open(lambda: self._find(bucket, key))[1]

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        """Write an object to the file `target`, read-only; a copy that the program may spoil."""
        _found, opened = self._shelf.open(lambda: self._find(bucket, key))
        with opened:
            hand_out(opened, target)

    def link(self, bucket: str, key: str, target: Path) -> None:
        """Make `target` the object's own bytes, for folders that are seen read-only; a copy on another file system."""
        found, opened = self._shelf.open(lambda: self._find(bucket, key))
        with opened:
            try:
                os.link(self._shelf.blobs.path(found.blob), target)
            except OSError:  # another file system, too many links, or replaced in between: the opened bytes are there
                hand_out(opened, target)

    def take(self, found: ObjectInfo, target: str, linked: bool, halt: Callable[[], bool]) -> None:
        """Make the new file `target` of a listed object. One that was replaced since is taken as it is now."""
        blobs = self._shelf.blobs
        if linked and isinstance(found, _Listed) and blobs.link(found.blob, target):
            return
        name, source = self._source(found)
        try:
            if not (linked and blobs.link(name, target)):
                copy_out(source, target, halt)
        finally:
            os.close(source)

    def store(self, source: Path, bucket: str, key: str) -> None:
        """Create or replace an object from a file, atomically."""
        there = self._bucket(bucket)
        if self._shelf.public.holds(self._shelf, bucket):
            raise FileNotFoundError(f"The bucket {uri.build(bucket)} is AWS's own: nobody else may write to it")
        with source.open("rb", buffering=0) as file, self._shelf.draft(iter(lambda: file.read(CHUNK), b"")) as content:
            self._shelf.put(there, key, content, {})

    def make_bucket(self, bucket: str, region: str) -> None:
        """Create a bucket; nothing happens when it exists already."""
        from emulator.store.objects import Bucket
        from emulator.store.records import DuplicateKey

        try:
            self._shelf.index.create_bucket(Bucket(bucket, self._account, region, self._shelf.clock.now()))
        except DuplicateKey:
            return

    def _source(self, found: ObjectInfo) -> tuple[str, int]:
        """The blob of an object, and an open file of it."""
        if isinstance(found, _Listed):
            try:
                return found.blob, self._shelf.blobs.descriptor(found.blob)
            except FileNotFoundError:
                pass
        version, opened = self._shelf.open(lambda: self._find(found.bucket, found.key))
        with opened:
            return version.blob, os.dup(opened.fileno())

    def _bucket(self, bucket: str) -> Bucket:
        found = self._shelf.bucket(bucket)
        if found is None:
            raise FileNotFoundError(f"The bucket {uri.build(bucket)} does not exist")
        return found

    def _find(self, bucket: str, key: str) -> Version:
        self._shelf.public.fill(self._shelf, bucket)
        found = self._shelf.index.get(bucket, key)
        if found is None or found.marker:
            self._bucket(bucket)
            raise FileNotFoundError(f"The object {uri.build(bucket, key)} does not exist")
        return found
