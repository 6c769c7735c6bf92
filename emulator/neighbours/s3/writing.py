"""Writing objects: put and copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.call import Answer, Call
from emulator.neighbours.s3 import checksums, conditions, facts, faults
from emulator.neighbours.s3.bodies import receive
from emulator.neighbours.s3.reading import shown_version
from emulator.neighbours.s3.service import S3, quoted
from emulator.storage.shelf import Content

if TYPE_CHECKING:
    from emulator.store.objects import Version


def put_object(s3: S3, call: Call) -> Answer:
    """Make the body the latest version of a key. Conditions are checked before the body comes and when it is there."""
    bucket, key = s3.bucket(call), call.params["Key"]
    found = facts.of(call)
    check_conditions(s3, call)
    with receive(s3, call) as received:
        found["checksums"] = checksums.recorded(received.checks)
        with s3.shelf.turn:
            check_conditions(s3, call)
            version = s3.shelf.put(s3.bucket(call), key, received.content, found)
    answer = {"ETag": quoted(version.etag), "VersionId": shown_version(bucket, version)}
    return {**answer, **found["checksums"], **facts.echoed(found)}


def copy_object(s3: S3, call: Call) -> Answer:
    """A new version with the bytes of another one, shared on disk, and its metadata or new ones."""
    bucket, key = s3.bucket(call), call.params["Key"]
    name, source_key, wanted = facts.copy_source(call)
    with s3.shelf.turn:
        source = find_source(s3, call, name, source_key, wanted)
        conditions.check_read(source, call.params, "CopySource")
        check_conditions(s3, call)
        found = _copied_facts(call, source)
        _check_self_copy(call, source)
        content = Content(source.blob, source.size, source.etag)
        version = s3.shelf.put(bucket, key, content, found)
    result = {"ETag": quoted(version.etag), "LastModified": version.modified, **found.get("checksums", {})}
    came_from = source.version if s3.bucket(call, name, "ExpectedSourceBucketOwner").versioning else None
    answer = {"CopyObjectResult": result, "CopySourceVersionId": came_from}
    return {**answer, "VersionId": shown_version(bucket, version), **facts.echoed(found)}


def check_conditions(s3: S3, call: Call) -> None:
    """If-Match and If-None-Match of a write."""
    params = call.params
    if params.get("IfMatch") is not None or params.get("IfNoneMatch") is not None:
        conditions.check_write(s3.shelf.index.get(params["Bucket"], params["Key"]), params["Key"], params)


def find_source(s3: S3, call: Call, bucket: str, key: str, version: str | None) -> Version:
    """The version to copy from."""
    s3.bucket(call, bucket, "ExpectedSourceBucketOwner")
    found = s3.shelf.index.get(bucket, key, version)
    if found is not None and found.marker and version:
        message = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise faults.invalid_request(message)
    if found is None or found.marker:
        raise faults.no_such_version(key, version) if version else faults.no_such_key(key)
    return found


def _copied_facts(call: Call, source: Version) -> dict[str, Any]:
    new = facts.of(call)
    directive, tagging = call.params.get("MetadataDirective", "COPY"), call.params.get("TaggingDirective", "COPY")
    for name, value in (("x-amz-metadata-directive", directive), ("x-amz-tagging-directive", tagging)):
        if value not in ("COPY", "REPLACE"):
            raise faults.invalid(name, value, "Unknown metadata directive.")
    if directive == "COPY":
        kept = {name: source.facts[name] for name in (*facts.CONTENT, "Metadata") if name in source.facts}
        new = {**{name: new[name] for name in new if name not in (*facts.CONTENT, "Metadata")}, **kept}
    new.pop("tags", None)
    tags = facts.of(call).get("tags") if tagging == "REPLACE" else source.facts.get("tags")
    if tags:
        new["tags"] = tags
    for name in ("checksums", "parts"):
        if name in source.facts:
            new[name] = source.facts[name]
    return new


def _check_self_copy(call: Call, source: Version) -> None:
    params = call.params
    changes = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId")
    same = (source.bucket, source.key) == (params["Bucket"], params["Key"]) and source.latest
    if same and params.get("MetadataDirective", "COPY") == "COPY" and not any(params.get(name) for name in changes):
        raise faults.invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the"
            " object's metadata, storage class, website redirect location or encryption attributes."
        )
