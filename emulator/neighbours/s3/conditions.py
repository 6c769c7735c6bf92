"""Conditional requests and ranges: RFC 9110 as S3 applies it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from emulator.errors import CallerFault
from emulator.neighbours.s3 import faults

if TYPE_CHECKING:
    from emulator.store.objects import Version

_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


def check_read(version: Version, params: Mapping[str, Any], prefix: str = "") -> None:
    """412 or 304 for a reader. `prefix` is `CopySource` for the conditions of a copy, where 304 is 412 as well.

    An ETag decides before a date does: If-Unmodified-Since counts only without If-Match, and so do the other two.
    """
    match, none_match = params.get(prefix + "IfMatch"), params.get(prefix + "IfNoneMatch")
    if match is not None and not _matches(match, version.etag):
        raise faults.precondition_failed("If-Match")
    unmodified = params.get(prefix + "IfUnmodifiedSince")
    if match is None and unmodified and _seconds(version) > _stamp(unmodified):
        raise faults.precondition_failed("If-Unmodified-Since")
    since = params.get(prefix + "IfModifiedSince")
    if none_match is not None:
        stale = _matches(none_match, version.etag)
    else:
        stale = since is not None and _seconds(version) <= _stamp(since)
    if stale and prefix:
        raise faults.precondition_failed("x-amz-copy-source-If-None-Match")
    if stale:
        raise faults.not_modified(etag=f'"{version.etag}"')


def check_write(current: Version | None, key: str, params: Mapping[str, Any]) -> None:
    """412, or 404, for a writer that asks for a state of the key (`If-None-Match: *` means: nobody wrote it yet)."""
    there = current is not None and not current.marker
    match, none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if none_match is not None:
        if none_match.strip() != "*":
            raise CallerFault("A header you provided implies functionality that is not implemented", "NotImplemented")
        if there:
            raise faults.precondition_failed("If-None-Match")
    if match is not None:
        if current is None or current.marker:
            raise faults.no_such_key(key)
        if not _matches(match, current.etag):
            raise faults.precondition_failed("If-Match")


def parse_range(text: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte; None for the whole (no range, or one that is not understood); 416 when nothing is left."""
    found = _RANGE.match(text.strip()) if text else None
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(int(found[2]), size - 1) if found[2] else size - 1
        if found[2] and int(found[2]) < first:
            return None
    if first > last or first >= size:
        raise CallerFault(
            "The requested range is not satisfiable",
            "InvalidRange",
            RangeRequested=text,
            ActualObjectSize=size,
            Headers={"content-range": f"bytes */{size}"},
        )
    return first, last


def _matches(header: str, etag: str) -> bool:
    tags = [tag.strip() for tag in header.split(",")]
    return any(tag == "*" or tag.removeprefix("W/").strip('"') == etag for tag in tags)


def _seconds(version: Version) -> int:
    return int(version.modified)


def _stamp(when: datetime) -> float:
    return when.timestamp()
