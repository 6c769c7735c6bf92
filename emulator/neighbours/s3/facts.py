"""What is kept about an object besides its bytes: headers to give back, metadata, tags, access, checksums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from emulator.call import Call
from emulator.errors import CallerFault, NotBuilt
from emulator.neighbours.s3 import faults
from emulator.neighbours.s3.acl import grants_of

CONTENT = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Expires")
KEPT = (*CONTENT, "Metadata", "StorageClass", "WebsiteRedirectLocation")
ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
_REFUSED: Mapping[str, str] = {
    "ObjectLockMode": "Object Lock is not built: nothing here would keep a locked object from being deleted.",
    "ObjectLockRetainUntilDate": "Object Lock is not built: nothing here would keep a locked object.",
    "ObjectLockLegalHoldStatus": "Object Lock is not built: nothing here would keep a locked object.",
    "SSECustomerAlgorithm": "SSE-C is not built: objects are not encrypted here. Leave SSECustomerKey out.",
    "WriteOffsetBytes": "Appending (WriteOffsetBytes) is for directory buckets, which are not built.",
}
_LARGEST_METADATA = 2048
_MOST_TAGS = 10


def of(call: Call) -> dict[str, Any]:
    """The facts that a Put, Copy or CreateMultipartUpload gives its object."""
    for member, reason in _REFUSED.items():
        if call.params.get(member) not in (None, "OFF"):
            raise NotBuilt(reason)
    check_key(call.params["Key"])
    found = {name: call.params[name] for name in (*KEPT, *ENCRYPTION) if call.params.get(name) not in (None, "", {})}
    if "Expires" in found:
        found["Expires"] = call.headers.get("expires", "") or str(found["Expires"])
    encoding = _without_chunked(found.pop("ContentEncoding", ""))
    if encoding:
        found["ContentEncoding"] = encoding
    if found.get("StorageClass") == "STANDARD":
        del found["StorageClass"]
    _check_metadata(found.get("Metadata") or {})
    if call.params.get("Tagging"):
        found["tags"] = dict(check_tags(parse_qsl(call.params["Tagging"], keep_blank_values=True)))
    grants = grants_of(call)
    if grants:
        found["acl"] = grants
    return found


def check_key(key: str) -> None:
    """Keys have up to 1,024 bytes."""
    if len(key.encode("utf-8", "surrogatepass")) > 1024:
        raise CallerFault("Your key is too long", "KeyTooLongError", MaxSizeAllowed=1024, Size=len(key.encode()))
    try:
        key.encode()
    except UnicodeEncodeError as broken:
        raise CallerFault("Couldn't parse the specified URI.", "InvalidURI") from broken


def check_tags(pairs: list[tuple[str, str]], most: int = _MOST_TAGS) -> list[tuple[str, str]]:
    """The tags, if they are not too many, too long or twice there."""
    if len(pairs) > most:
        message = f"Object tags cannot be greater than {most}"
        raise CallerFault(message, "BadRequest")
    if len({key for key, _ in pairs}) < len(pairs):
        raise CallerFault("Cannot provide multiple Tags with the same key", "InvalidTag")
    for key, value in pairs:
        if not 1 <= len(key) <= 128:
            raise CallerFault("The TagKey you have provided is invalid", "InvalidTag", TagKey=key)
        if len(value) > 256:
            raise CallerFault("The TagValue you have provided is invalid", "InvalidTag", TagKey=key, TagValue=value)
    return pairs


def _check_metadata(metadata: Mapping[str, str]) -> None:
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if size > _LARGEST_METADATA:
        raise CallerFault(
            "Your metadata headers exceed the maximum allowed metadata size",
            "MetadataTooLarge",
            Size=size,
            MaxSizeAllowed=_LARGEST_METADATA,
        )


def _without_chunked(encoding: str) -> str:
    return ",".join(part for part in (p.strip() for p in encoding.split(",")) if part and part != "aws-chunked")


def echoed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer to a write repeats."""
    return {name: facts[name] for name in ENCRYPTION if name in facts}


def copy_source(call: Call, owner: str = "ExpectedSourceBucketOwner") -> tuple[str, str, str | None]:
    """(bucket, key, version) of x-amz-copy-source: `/bucket/key?versionId=id`, percent-encoded."""
    from urllib.parse import unquote

    text = call.params["CopySource"]
    if isinstance(text, Mapping):  # as boto3 users write it, when an engine issues the call
        return text["Bucket"], text["Key"], text.get("VersionId")
    place, _, version = text.partition("?versionId=")
    bucket, _, key = unquote(place).removeprefix("/").partition("/")
    if bucket.startswith("arn:"):
        raise NotBuilt("Access points are not built: name the bucket itself in the copy source.")
    if not bucket or not key:
        raise faults.invalid("x-amz-copy-source", text, "Invalid copy source object key")
    return bucket, key, unquote(version) or None
