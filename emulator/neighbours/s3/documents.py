"""Sub-resources of buckets that are recorded: Get answers what was Put, else the service's fault for its absence.

They are kept, not acted upon: a lifecycle rule expires nothing here, a policy forbids nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.call import Answer, Call
from emulator.errors import CallerFault, NotBuilt
from emulator.neighbours.s3.facts import check_tags
from emulator.neighbours.s3.service import S3


@dataclass(frozen=True)
class Document:
    """One sub-resource: `noun` as in Put<noun> and Get<noun>, `member` of Put that holds it, and whether Get wraps it
    in a member of the same name. Absent means the fault (code, message), or the `default` where the service has one.
    """

    noun: str
    member: str
    wrapped: bool = False
    code: str = ""
    message: str = ""
    default: Mapping[str, Any] | None = None
    delete: str = ""
    check: Callable[[Any], None] | None = None


def _check_policy(policy: str) -> None:
    try:
        good = isinstance(json.loads(policy), dict)
    except (ValueError, RecursionError):
        good = False
    if not good:
        raise CallerFault("Policies must be valid JSON and the first byte must be '{'", "MalformedPolicy")


def _check_notification(document: Mapping[str, Any]) -> None:
    if any(document.values()):
        raise NotBuilt("S3 event notifications are not built: nothing here would send them. Put an empty one.")


def _check_bucket_tags(document: Mapping[str, Any]) -> None:
    check_tags([(tag["Key"], tag["Value"]) for tag in document["TagSet"]], 50)


DOCUMENTS: tuple[Document, ...] = (
    Document(
        "BucketPolicy", "Policy", True, "NoSuchBucketPolicy",
        "The bucket policy does not exist", check=_check_policy,
    ),
    Document(
        "BucketCors", "CORSConfiguration", False, "NoSuchCORSConfiguration",
        "The CORS configuration does not exist",
    ),
    Document(
        "BucketLifecycleConfiguration", "LifecycleConfiguration", False, "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist", delete="DeleteBucketLifecycle",
    ),
    Document(
        "BucketEncryption", "ServerSideEncryptionConfiguration", True, "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    Document(
        "PublicAccessBlock", "PublicAccessBlockConfiguration", True, "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    Document(
        "BucketOwnershipControls", "OwnershipControls", True, "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    ),
    Document(
        "BucketWebsite", "WebsiteConfiguration", False, "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    Document(
        "BucketReplication", "ReplicationConfiguration", True, "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    Document("BucketTagging", "Tagging", False, "NoSuchTagSet", "The TagSet does not exist", check=_check_bucket_tags),
    Document("BucketLogging", "BucketLoggingStatus", default={}),
    Document("BucketAccelerateConfiguration", "AccelerateConfiguration", default={}),
    Document("BucketRequestPayment", "RequestPaymentConfiguration", default={"Payer": "BucketOwner"}),
    Document("BucketNotificationConfiguration", "NotificationConfiguration", default={}, check=_check_notification),
    Document(
        "ObjectLockConfiguration", "", True, "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
)  # fmt: skip


def document_operation(operation: str) -> Callable[[S3, Call], Answer] | None:
    """The function that puts, gets or deletes a recorded document; None for other operations."""
    for document in DOCUMENTS:
        if operation == "Get" + document.noun:
            return lambda s3, call, document=document: _get(s3, call, document)  # type: ignore[misc]
        if operation == "Put" + document.noun and document.member:
            return lambda s3, call, document=document: _put(s3, call, document)  # type: ignore[misc]
        if operation == (document.delete or "Delete" + document.noun):
            return lambda s3, call, document=document: _set(s3, call, document, None)  # type: ignore[misc]
    return None


def _get(s3: S3, call: Call, document: Document) -> Answer:
    bucket = s3.bucket(call)
    found = bucket.document.get(document.noun, document.default)
    if found is None:
        raise CallerFault(document.message, document.code, BucketName=bucket.name)
    return {document.member: found} if document.wrapped else dict(found)


def _put(s3: S3, call: Call, document: Document) -> Answer:
    wanted = call.params.get(document.member) or {}
    if document.check:
        document.check(wanted)
    return _set(s3, call, document, _plain(wanted))


def _set(s3: S3, call: Call, document: Document, value: Any) -> Answer:
    with s3.shelf.turn:
        bucket = s3.bucket(call)
        kept = {name: known for name, known in bucket.document.items() if name != document.noun}
        if value is not None:
            kept[document.noun] = value
        s3.shelf.index.update_bucket(bucket.name, kept, bucket.versioning)
    return {}


def _plain(value: Any) -> Any:
    """A document as JSON can hold it: times become seconds since the epoch."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.timestamp() if isinstance(value, datetime) else value
