"""ListObjects in both versions: keys in the order of their bytes, rolled up at a delimiter, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from emulator.call import Answer, Call
from emulator.neighbours.s3 import faults
from emulator.neighbours.s3.checksums import described
from emulator.neighbours.s3.service import S3, owner, quoted

if TYPE_CHECKING:
    from emulator.store.objects import Bucket, Version

LARGEST_PAGE = 1000


def list_objects(s3: S3, call: Call) -> Answer:
    """A page behind Marker. NextMarker is there only with a delimiter, as the service has it."""
    bucket, marker = s3.bucket(call), call.params.get("Marker", "")
    answer, last = _page(s3, call, bucket, marker, True)
    answer["Marker"] = marker
    if last is not None and call.params.get("Delimiter"):
        answer["NextMarker"] = last
    return encoded(call, answer, ("Marker", "NextMarker"))


def list_objects_v2(s3: S3, call: Call) -> Answer:
    """A page behind StartAfter, or where the ContinuationToken says."""
    bucket, params = s3.bucket(call), call.params
    token, start = params.get("ContinuationToken"), params.get("StartAfter", "")
    answer, last = _page(s3, call, bucket, start if token is None else _read(token), bool(params.get("FetchOwner")))
    answer["KeyCount"] = len(answer["Contents"]) + len(answer["CommonPrefixes"])
    answer["ContinuationToken"] = token
    answer["StartAfter"] = start or None
    if last is not None:
        answer["NextContinuationToken"] = base64.urlsafe_b64encode(b"1" + last.encode()).decode()
    return encoded(call, answer, ("StartAfter",))


def page_size(call: Call, member: str = "MaxKeys") -> int:
    """How many entries a page has; never more than 1,000."""
    wanted: int = call.params.get(member, LARGEST_PAGE)
    if wanted < 0 or wanted > 2**31 - 1:
        raise faults.invalid("max-keys", wanted, "Argument maxKeys must be an integer between 0 and 2147483647")
    return min(wanted, LARGEST_PAGE)


def encoded(call: Call, answer: dict[str, Any], members: tuple[str, ...] = ()) -> Answer:
    """The answer with its keys percent-encoded, if the caller asked for that (XML cannot hold every key)."""
    encoding = call.params.get("EncodingType")
    if encoding is None:
        return answer
    if encoding != "url":
        raise faults.invalid("encoding-type", encoding, "Invalid Encoding Method specified in Request")
    answer["EncodingType"] = encoding
    for name in (*members, "Prefix", "Delimiter"):
        if answer.get(name):
            answer[name] = quote(answer[name])
    for name in ("Contents", "Versions", "DeleteMarkers", "Uploads"):
        if name in answer:
            answer[name] = [{**entry, "Key": quote(entry["Key"])} for entry in answer[name]]
    answer["CommonPrefixes"] = [{"Prefix": quote(entry["Prefix"])} for entry in answer["CommonPrefixes"]]
    return answer


def entry_of(version: Version) -> dict[str, Any]:
    """What lists tell about a version."""
    checks: Mapping[str, Any] = version.facts.get("checksums") or {}
    return {
        "Key": version.key,
        "LastModified": version.modified,
        "ETag": quoted(version.etag),
        "Size": version.size,
        "StorageClass": version.facts.get("StorageClass", "STANDARD"),
        **described(checks),
    }


def _page(s3: S3, call: Call, bucket: Bucket, after: str, owners: bool) -> tuple[dict[str, Any], str | None]:
    """The members that both versions share, and the last entry when there is more behind it."""
    from emulator.store.objects import Listing

    params, limit = call.params, page_size(call)
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    listing = Listing(bucket.name, prefix, delimiter, after, limit + 1)
    found = list(s3.shelf.index.keys(listing)) if limit else []
    shown = found[:limit]
    me = {"Owner": owner(bucket.account)} if owners else {}
    answer = {
        "Name": bucket.name,
        "Prefix": prefix,
        "Delimiter": delimiter or None,
        "MaxKeys": limit,
        "IsTruncated": len(found) > limit,
        "Contents": [{**entry_of(entry), **me} for entry in shown if not isinstance(entry, str)],
        "CommonPrefixes": [{"Prefix": entry} for entry in shown if isinstance(entry, str)],
    }
    if len(found) <= limit:
        return answer, None
    return answer, shown[-1] if isinstance(shown[-1], str) else shown[-1].key


def _read(token: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(token)
        if raw[:1] != b"1":
            raise ValueError(token)
        return raw[1:].decode()
    except (ValueError, binascii.Error) as broken:
        raise faults.invalid("continuation-token", token, "The continuation token provided is incorrect") from broken
