"""Buckets of AWS's own that everybody may read: there before anybody makes them, and nobody's to write to.

Filled when they are first asked for: a server that never hears of one spends nothing on it, and the bytes are objects
like all others, which jobs, copies and ranges read. What an older server put there is replaced, key by key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.storage.shelf import Shelf
    from emulator.store.objects import Bucket

OWNER = "aws"
"""No account of a caller's: a public bucket is in nobody's list, and its name is taken."""

Contents = Callable[[str], Mapping[str, bytes]]
"""Objects by key of the public bucket of that name; nothing when it is none."""


def nothing(name: str) -> Mapping[str, bytes]:
    return {}


class PublicBuckets:
    """The buckets that `contents` knows. Thread safe."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._current: set[str] = set()

    def fill(self, shelf: Shelf, name: str) -> None:
        """Make the bucket hold its objects, if it is a public one that does not hold them yet."""
        objects = self._contents(name)
        if not objects or (name in self._current and shelf.index.bucket(name)):
            return
        with shelf.turn:
            bucket = _made(shelf, name)
            if bucket.account == OWNER:
                _replace(shelf, bucket, objects)
            self._current.add(name)

    def holds(self, shelf: Shelf, name: str) -> bool:
        """Whether it is a public bucket. One that somebody made before there were any stays theirs."""
        if not self._contents(name):
            return False
        found = shelf.bucket(name)
        return found is not None and found.account == OWNER


def _made(shelf: Shelf, name: str) -> Bucket:
    from emulator.store.objects import Bucket

    bucket = shelf.index.bucket(name)
    if bucket is None:
        region = name.rpartition("-prod-")[2]
        bucket = Bucket(name, OWNER, region, shelf.clock.now())
        shelf.index.create_bucket(bucket)
    return bucket


def _replace(shelf: Shelf, bucket: Bucket, objects: Mapping[str, bytes]) -> None:
    import hashlib

    from emulator.store.objects import Listing, Version

    there = {
        version.key: version.etag
        for version in shelf.index.keys(Listing(bucket.name, limit=10_000))
        if isinstance(version, Version)
    }
    for key in there.keys() - objects.keys():
        shelf.delete(bucket.name, key)
    for key, data in objects.items():
        if there.get(key) != hashlib.md5(data, usedforsecurity=False).hexdigest():
            with shelf.draft(iter((data,))) as content:
                shelf.put(bucket, key, content, {})
