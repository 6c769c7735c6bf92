"""Lists of multipart uploads and of their parts."""

from __future__ import annotations

from typing import Any

from emulator.call import Answer, Call
from emulator.neighbours.s3 import checksums
from emulator.neighbours.s3.listing import LARGEST_PAGE, encoded, page_size
from emulator.neighbours.s3.multipart import find_upload
from emulator.neighbours.s3.service import S3, owner, quoted


def list_parts(s3: S3, call: Call) -> Answer:
    """A page of the parts of an upload, by number."""
    upload, bucket, limit = find_upload(s3, call), s3.bucket(call), page_size(call, "MaxParts")
    marker = call.params.get("PartNumberMarker", 0)
    behind = [part for part in s3.shelf.index.parts(upload.upload) if part.number > marker]
    me = owner(bucket.account)
    answer: dict[str, Any] = {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.upload,
        "PartNumberMarker": marker,
        "MaxParts": limit,
        "IsTruncated": len(behind) > limit,
        "StorageClass": upload.facts.get("StorageClass", "STANDARD"),
        "Initiator": me,
        "Owner": me,
        "ChecksumAlgorithm": upload.facts.get("algorithm"),
        "ChecksumType": upload.facts.get("kind"),
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": part.modified,
                "ETag": quoted(part.etag),
                "Size": part.size,
                **{checksums.member(name): value for name, value in (part.facts.get("checks") or {}).items()},
            }
            for part in behind[:limit]
        ],
    }
    if behind[:limit]:
        answer["NextPartNumberMarker"] = behind[:limit][-1].number
    return answer


def list_multipart_uploads(s3: S3, call: Call) -> Answer:
    """A page of the uploads that are under way, by key and start."""
    params, bucket = call.params, s3.bucket(call)
    limit = page_size(call, "MaxUploads") or LARGEST_PAGE
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    key, marker = params.get("KeyMarker", ""), params.get("UploadIdMarker", "")
    found: dict[str, Any] = {}
    passed = False
    for upload in s3.shelf.index.uploads(bucket.name, prefix):
        rolled = delimiter and key.endswith(delimiter) and upload.key.startswith(key)
        if rolled or upload.key.encode() < key.encode() or (upload.key == key and not passed):
            passed = upload.upload == marker
            continue
        cut = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        found.setdefault(upload.key[: cut + len(delimiter)] if cut >= 0 else "\0" + upload.upload, upload)
    shown = dict(list(found.items())[:limit])
    uploads = [upload for name, upload in shown.items() if name.startswith("\0")]
    me = owner(bucket.account)
    answer: dict[str, Any] = {
        "Bucket": bucket.name,
        "Prefix": prefix,
        "Delimiter": delimiter or None,
        "KeyMarker": key,
        "UploadIdMarker": marker,
        "MaxUploads": limit,
        "IsTruncated": len(found) > limit,
        "CommonPrefixes": [{"Prefix": name} for name in shown if not name.startswith("\0")],
        "Uploads": [_entry(upload, me) for upload in uploads],
    }
    if len(found) > limit:
        name, last = list(shown.items())[-1]
        single = name.startswith("\0")
        answer.update(NextKeyMarker=last.key if single else name, NextUploadIdMarker=last.upload if single else None)
    return encoded(call, answer, ("KeyMarker", "NextKeyMarker"))


def _entry(upload: Any, me: dict[str, str]) -> dict[str, Any]:
    return {
        "UploadId": upload.upload,
        "Key": upload.key,
        "Initiated": upload.started,
        "StorageClass": upload.facts.get("StorageClass", "STANDARD"),
        "Owner": me,
        "Initiator": me,
        "ChecksumAlgorithm": upload.facts.get("algorithm"),
        "ChecksumType": upload.facts.get("kind"),
    }
