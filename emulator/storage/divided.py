"""Two storages as one: AWS's public buckets are ours to answer, whoever keeps all the others (`--s3-endpoint`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from emulator.call import Answer, Call
from emulator.errors import NotBuilt
from emulator.ports import ObjectInfo, Storage

IsPublic = Callable[[str], bool]
"""Whether a bucket of that name is one of AWS's own that our shelf holds."""


class DividedStorage:
    """`ports.Storage` over `ours` for public buckets and `theirs` for all others."""

    def __init__(self, ours: Storage, theirs: Storage, is_public: IsPublic) -> None:
        self._ours, self._theirs, self._is_public = ours, theirs, is_public

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix`, in key order."""
        return self._of(bucket).list(bucket, prefix)

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """One object's facts."""
        return self._of(bucket).head(bucket, key)

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Read an object as a stream."""
        return self._of(bucket).open(bucket, key)

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        """Write an object to the file `target`, read-only."""
        self._of(bucket).fetch(bucket, key, target)

    def link(self, bucket: str, key: str, target: Path) -> None:
        """Show an object as the file `target`, without a copy where that is possible."""
        self._of(bucket).link(bucket, key, target)

    def take(self, found: ObjectInfo, target: str, linked: bool, halt: Callable[[], bool]) -> None:
        """Make the new file `target` of a listed object."""
        self._of(found.bucket).take(found, target, linked, halt)

    def store(self, source: Path, bucket: str, key: str) -> None:
        """Create or replace an object from a file, atomically."""
        self._of(bucket).store(source, bucket, key)

    def make_bucket(self, bucket: str, region: str) -> None:
        """Create a bucket; nothing happens when it exists already."""
        self._of(bucket).make_bucket(bucket, region)

    def _of(self, bucket: str) -> Storage:
        return self._ours if self._is_public(bucket) else self._theirs


class DividedS3:
    """Answers S3's calls: `ours` those that name a public bucket, `theirs` all others."""

    def __init__(self, ours: Callable[[Call], Answer], theirs: Callable[[Call], Answer], is_public: IsPublic) -> None:
        self._ours, self._theirs, self._is_public = ours, theirs, is_public

    def answer(self, call: Call) -> Answer:
        """The answer or the fault of whoever has the bucket; a copy from one to the other is refused."""
        if self._is_public(call.params.get("Bucket", "")):
            return self._ours(call)
        source = _source(call)
        if self._is_public(source):
            raise NotBuilt(
                f"S3's {call.operation} from {source} is not built with --s3-endpoint: that bucket is answered here, "
                "and the external S3 cannot read it. Download the object and upload it."
            )
        return self._theirs(call)


def _source(call: Call) -> str:
    """The bucket that a copy reads, empty for other calls."""
    given = call.params.get("CopySource", "")
    return str(given["Bucket"]) if isinstance(given, Mapping) else unquote(given).removeprefix("/").partition("/")[0]
