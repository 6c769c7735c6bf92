"""The objects of S3 behind a source, under the names that a program sees; the lines of an augmented manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from emulator.jobs.inputs.channel import Source
from emulator.jobs.recipes.recipe import JobBroken
from emulator.ports import ObjectInfo, Storage
from emulator.storage import uri

MANIFEST_LIMIT = 64 * 1024 * 1024
"""Bytes of a manifest that are read: it is held in memory whole."""

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes of a line of an augmented manifest."""

CHUNK = 256 * 1024
UNKNOWN = -1


@dataclass(frozen=True)
class Item:
    """One object and its name relative to the folder that the source stands for."""

    found: ObjectInfo
    name: str

    @property
    def bucket(self) -> str:
        """The bucket of the object."""
        return self.found.bucket

    @property
    def key(self) -> str:
        """The key of the object."""
        return self.found.key

    @property
    def size(self) -> int:
        """Bytes; `UNKNOWN` for what a manifest lists."""
        return self.found.size


def items(storage: Storage, source: Source) -> Iterator[Item]:
    """The objects of a prefix, in key order and without the markers that stand for folders, or those of a manifest.

    Raises `FileNotFoundError` for an absent bucket or manifest and `JobBroken` for a manifest that is none.
    """
    return _listed(storage, source.location) if source.kind == "manifest" else _under(storage, source.location)


def lines(storage: Storage, source: Source) -> Iterator[bytes]:
    """The lines of an augmented manifest that are not blank."""
    bucket, key = uri.parse(source.location)
    rest = b""
    with storage.open(bucket, key) as stream:
        while chunk := stream.read(CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line for line in whole if line.strip())
            if len(rest) > LINE_LIMIT:
                raise JobBroken(f'ClientError: The augmented manifest "{source.location}" is not JSON Lines.')
    if rest.strip():
        yield rest


def empty(storage: Storage, source: Source) -> bool:
    """Whether there is nothing at all at the source; an absent bucket is empty too."""
    entries: Iterator[object] = lines(storage, source) if source.kind == "augmented" else items(storage, source)
    try:
        return next(entries, None) is None
    except (FileNotFoundError, JobBroken):
        return True


def safe_name(name: str) -> str:
    """A key's name as a relative path; `JobBroken` when it would leave the folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name:
        raise JobBroken(f"ClientError: Data download failed: the key name {name!r} is not usable as a file name")
    return "/".join(parts)


def _under(storage: Storage, location: str) -> Iterator[Item]:
    """A prefix that names a folder, with or without the `/`, stands for that folder; of any other prefix the part
    behind its last `/` belongs to the names (docs/quirks.md)."""
    bucket, prefix = uri.parse(location)
    folder = prefix.rstrip("/") + "/"
    inside = len(folder) if len(folder) > 1 else 0
    outside = prefix.rfind("/") + 1
    for found in storage.list(bucket, prefix):
        key = found.key
        if not key.endswith("/"):
            yield Item(found, key[inside if inside and key.startswith(folder) else outside :])


def _listed(storage: Storage, location: str) -> Iterator[Item]:
    for prefix, suffix in manifest_entries(storage, location):
        bucket, key = uri.parse(prefix + suffix)
        yield Item(ObjectInfo(bucket, key, UNKNOWN, ""), suffix)


def manifest_entries(storage: Storage, location: str) -> Iterator[tuple[str, str]]:
    """(prefix, suffix) of each object that a manifest names: `[{"prefix": "s3://…"}, "suffix", …]`."""
    bucket, key = uri.parse(location)
    with storage.open(bucket, key) as stream:
        text = stream.read(MANIFEST_LIMIT)
    try:
        listed = json.loads(text)
        prefix = listed[0]["prefix"]
        uri.parse(prefix)
    except (ValueError, LookupError, TypeError) as error:
        raise JobBroken(
            f'ClientError: The manifest "{location}" is no JSON array that begins with {{"prefix": "s3://…"}}: {error}'
        ) from error
    for suffix in listed[1:]:
        if not isinstance(suffix, str):
            raise JobBroken(f'ClientError: The manifest "{location}" has an entry that is not a string: {suffix!r}')
        yield prefix, suffix
