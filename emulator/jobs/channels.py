"""Objects of S3 under the names that a program sees: prefixes and manifests, resolved and downloaded."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emulator.jobs.recipes.recipe import JobBroken
from emulator.ports import Storage
from emulator.storage import uri

MANIFEST_LIMIT = 64 * 1024 * 1024
"""Bytes of a manifest that are read: it is held in memory whole."""


@dataclass(frozen=True)
class Source:
    """A place in S3: all objects under a prefix, or those that a manifest lists."""

    location: str
    manifest: bool = False


@dataclass(frozen=True)
class Item:
    """One object and its name relative to the folder that the source stands for."""

    bucket: str
    key: str
    name: str
    size: int | None = None


def source_of(channel: Mapping[str, Any]) -> Source:
    """The source of a channel of InputDataConfig or of a TransformInput."""
    place = channel["DataSource"]["S3DataSource"]
    return Source(place["S3Uri"], place["S3DataType"] == "ManifestFile")


def items(storage: Storage, source: Source) -> Iterator[Item]:
    """The objects of a source in key order, without the markers that stand for folders.

    Raises `FileNotFoundError` for an absent bucket or manifest and `JobBroken` for a manifest that is none.
    """
    return _listed(storage, source.location) if source.manifest else _under(storage, source.location)


def empty(storage: Storage, source: Source) -> bool:
    """Whether there is nothing at all at the source; an absent bucket is empty too."""
    try:
        return next(items(storage, source), None) is None
    except (FileNotFoundError, JobBroken):
        return True


def _under(storage: Storage, location: str) -> Iterator[Item]:
    """A prefix that names a folder, with or without the `/`, stands for that folder; of any other prefix the part
    behind its last `/` belongs to the names (docs/quirks.md)."""
    bucket, prefix = uri.parse(location)
    for found in storage.list(bucket, prefix):
        if not found.key.endswith("/"):
            inside = found.key.startswith(prefix.rstrip("/") + "/")
            cut = len(prefix.rstrip("/")) + 1 if inside and prefix.rstrip("/") else prefix.rfind("/") + 1
            yield Item(bucket, found.key, found.key[cut:], found.size)


def _listed(storage: Storage, location: str) -> Iterator[Item]:
    for prefix, suffix in manifest_entries(storage, location):
        bucket, key = uri.parse(prefix + suffix)
        yield Item(bucket, key, suffix)


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


def download(storage: Storage, channel: Mapping[str, Any], folder: Path, halt: Callable[[], bool]) -> int:
    """Put the objects of a channel into `folder`; how many there were. Gives up (without an error) once `halt()`."""
    unpack = channel.get("CompressionType") == "Gzip"
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for item in items(storage, source_of(channel)):
        if halt():
            break
        place(storage, item, folder, unpack)
        count += 1
    return count


def place(storage: Storage, item: Item, folder: Path, unpack: bool = False) -> None:
    """Put one object under `folder`; `JobBroken` when its name leaves the folder or collides with another one."""
    name = item.name.removesuffix(".gz") if unpack else item.name
    target = folder / safe_name(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise FileExistsError(target)
        if unpack:
            _gunzip(storage, item, target)
        else:
            storage.fetch(item.bucket, item.key, target)
    except FileNotFoundError as error:
        raise JobBroken(f"ClientError: Data download failed: no such object s3://{item.bucket}/{item.key}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise JobBroken(
            f"ClientError: Data download failed: s3://{item.bucket}/{item.key} cannot be written as the file {name!r}: "
            "another object of the channel has that name as a file or as a folder"
        ) from error


def safe_name(name: str) -> PurePosixPath:
    """A key's name as a relative path; `JobBroken` when it would leave the folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name:
        raise JobBroken(f"ClientError: Data download failed: the key name {name!r} is not usable as a file name")
    return PurePosixPath(*parts)


def _gunzip(storage: Storage, item: Item, target: Path) -> None:
    try:
        with storage.open(item.bucket, item.key) as packed, gzip.open(packed) as plain, target.open("xb") as out:
            shutil.copyfileobj(plain, out, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise JobBroken(
            f"ClientError: Data download failed: s3://{item.bucket}/{item.key} is not gzip, "
            f"as CompressionType says: {error}"
        ) from error
