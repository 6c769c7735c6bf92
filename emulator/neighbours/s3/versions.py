"""ListObjectVersions: versions and delete markers by key, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from emulator.call import Answer, Call
from emulator.neighbours.s3 import faults
from emulator.neighbours.s3.listing import encoded, entry_of, page_size
from emulator.neighbours.s3.service import S3, owner

if TYPE_CHECKING:
    from emulator.store.objects import Version

_BATCH = 1000
_LAST = "\U0010ffff"
_NO_VERSION = "\0"


def list_object_versions(s3: S3, call: Call) -> Answer:
    """A page behind (KeyMarker, VersionIdMarker)."""
    params, limit = call.params, page_size(call)
    bucket = s3.bucket(call)
    key, version = params.get("KeyMarker", ""), params.get("VersionIdMarker", "")
    if version and not key:
        message = "A version-id marker cannot be specified without a key marker."
        raise faults.invalid("version-id-marker", version, message)
    shown: list[Version | str] = []
    truncated = False
    for entry in _entries(s3, call, bucket.name):
        if len(shown) >= limit:
            truncated = bool(limit)
            break
        shown.append(entry)
    found = [entry for entry in shown if not isinstance(entry, str)]
    me = {"Owner": owner(bucket.account)}
    answer: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": params.get("Prefix", ""),
        "Delimiter": params.get("Delimiter") or None,
        "KeyMarker": key,
        "VersionIdMarker": version,
        "MaxKeys": limit,
        "IsTruncated": truncated,
        "Versions": [{**_place(v), **entry_of(v), **me} for v in found if not v.marker],
        "DeleteMarkers": [{**_place(v), "LastModified": v.modified, **me} for v in found if v.marker],
        "CommonPrefixes": [{"Prefix": entry} for entry in shown if isinstance(entry, str)],
    }
    if truncated:
        last = shown[-1]
        answer["NextKeyMarker"] = last if isinstance(last, str) else last.key
        answer["NextVersionIdMarker"] = None if isinstance(last, str) else last.version
    return encoded(call, answer, ("KeyMarker", "NextKeyMarker"))


def _place(version: Version) -> dict[str, Any]:
    return {"Key": version.key, "VersionId": version.version, "IsLatest": version.latest}


def _entries(s3: S3, call: Call, bucket: str) -> Iterator[Version | str]:
    """Versions and common prefixes behind the markers; what a prefix rolls up is skipped, not read."""
    params = call.params
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    after: tuple[str, str] | None = None
    if key := params.get("KeyMarker"):
        rolled = delimiter and key.startswith(prefix) and key.endswith(delimiter) and key != prefix
        after = (key + _LAST if rolled else key, params.get("VersionIdMarker") or _NO_VERSION)
    while page := s3.shelf.index.versions(bucket, prefix, after, _BATCH):
        for entry in page:
            cut = entry.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                common = entry.key[: cut + len(delimiter)]
                yield common
                after = (common + _LAST, _NO_VERSION)
                break
            yield entry
            after = (entry.key, entry.version)
