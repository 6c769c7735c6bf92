"""Multipart uploads: parts are blobs of their own until the upload is complete, and then joined by the kernel."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from emulator.call import Answer, Call
from emulator.errors import CallerFault
from emulator.neighbours.s3 import checksums, conditions, facts, faults
from emulator.neighbours.s3.bodies import LARGEST, receive
from emulator.neighbours.s3.reading import Piece, shown_version
from emulator.neighbours.s3.service import S3, quoted
from emulator.neighbours.s3.writing import check_conditions, find_source
from emulator.storage.shelf import Content

if TYPE_CHECKING:
    from emulator.store.objects import Part, Upload

SMALLEST_PART = 5 * 1024 * 1024


def create_multipart_upload(s3: S3, call: Call) -> Answer:
    """Begin an upload; what is known about the object is kept until it is complete."""
    from emulator.store.objects import Upload

    bucket, key = s3.bucket(call), call.params["Key"]
    found, algorithm = facts.of(call), call.params.get("ChecksumAlgorithm", "").upper()
    if algorithm:
        kind = call.params.get("ChecksumType") or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
        found.update(algorithm=algorithm, kind=kind)
    upload = Upload(secrets.token_urlsafe(48), bucket.name, key, s3.shelf.clock.now(), found)
    s3.shelf.index.begin_upload(upload)
    answer = {"Bucket": bucket.name, "Key": key, "UploadId": upload.upload, **facts.echoed(found)}
    return {**answer, "ChecksumAlgorithm": algorithm or None, "ChecksumType": found.get("kind")}


def upload_part(s3: S3, call: Call) -> Answer:
    """Add a part from the body."""
    upload = find_upload(s3, call)
    with receive(s3, call, upload.facts.get("algorithm", "")) as received:
        part = _keep(s3, call, received.content, received.checks)
    return {"ETag": quoted(part.etag), **{checksums.member(name): v for name, v in received.checks.items()}}


def upload_part_copy(s3: S3, call: Call) -> Answer:
    """Add a part from an object, or from a range of it."""
    upload = find_upload(s3, call)
    name, key, wanted = facts.copy_source(call)
    source, file = s3.shelf.open(lambda: find_source(s3, call, name, key, wanted))
    with file:
        conditions.check_read(source, call.params, "CopySource")
        first, last = _copied_range(call, source.size)
        algorithm = upload.facts.get("algorithm", "")
        hasher = checksums.hasher(algorithm) if algorithm else None
        with s3.shelf.draft(_hashed(Piece(file, first, last - first + 1), hasher)) as content:
            checks = {algorithm: checksums.encode(hasher.digest())} if hasher else {}
            part = _keep(s3, call, content, checks)
    result = {"ETag": quoted(part.etag), "LastModified": part.modified}
    came_from = source.version if s3.bucket(call, name, "ExpectedSourceBucketOwner").versioning else None
    return {
        "CopyPartResult": {**result, **{checksums.member(name): value for name, value in checks.items()}},
        "CopySourceVersionId": came_from,
    }


def complete_multipart_upload(s3: S3, call: Call) -> Answer:
    """Make one object of the parts that the caller lists."""
    upload, bucket = find_upload(s3, call), s3.bucket(call)
    check_conditions(s3, call)
    parts = _chosen(s3, call, upload)
    found = {name: value for name, value in upload.facts.items() if name not in ("algorithm", "kind")}
    found["checksums"] = _checked(call, upload, parts)
    found["parts"] = [part.size for part in parts]
    with _joined(s3, parts) as content, s3.shelf.turn:
        find_upload(s3, call)
        check_conditions(s3, call)
        version = s3.shelf.put(s3.bucket(call), upload.key, content, found, upload.upload)
    answer = {"Bucket": bucket.name, "Key": upload.key, "Location": f"/{bucket.name}/{upload.key}"}
    answer.update(ETag=quoted(version.etag), **found["checksums"], **facts.echoed(found))
    return {**answer, "VersionId": shown_version(bucket, version)}


def abort_multipart_upload(s3: S3, call: Call) -> Answer:
    """Throw an upload and its parts away."""
    upload = find_upload(s3, call)
    with s3.shelf.turn:
        freed = s3.shelf.index.finish_upload(upload.upload, None)
    s3.shelf.blobs.remove(freed)
    return {}


def find_upload(s3: S3, call: Call) -> Upload:
    """The upload of a call."""
    bucket, wanted = s3.bucket(call), call.params["UploadId"]
    found = s3.shelf.index.upload(wanted)
    if found is None or (found.bucket, found.key) != (bucket.name, call.params["Key"]):
        raise faults.no_such_upload(wanted)
    return found


def _keep(s3: S3, call: Call, content: Content, checks: Mapping[str, str]) -> Part:
    from emulator.store.objects import Part

    number = call.params["PartNumber"]
    if not 1 <= number <= 10_000:
        raise faults.invalid("partNumber", number, "Part number must be an integer between 1 and 10000, inclusive")
    with s3.shelf.turn:
        upload = find_upload(s3, call)
        kept = {"checks": dict(checks)}
        part = Part(upload.upload, number, content.size, content.etag, s3.shelf.clock.now(), content.blob, kept)
        freed = s3.shelf.index.put_part(part)
        s3.shelf.blobs.settle(content.blob)
    s3.shelf.blobs.remove(freed)
    return part


def _copied_range(call: Call, size: int) -> tuple[int, int]:
    text = call.params.get("CopySourceRange")
    if not text:
        if size > LARGEST:
            raise faults.invalid_request("The specified copy source is larger than the maximum allowable size")
        return 0, size - 1
    found = conditions.parse_range(text, size)
    if found is None or text != f"bytes={found[0]}-{found[1]}":
        message = f"Range specified is not valid for source object of size: {size}"
        raise faults.invalid("x-amz-copy-source-range", text, message)
    return found


def _hashed(chunks: Piece, hasher: checksums.Hasher | None) -> Iterator[bytes]:
    for chunk in chunks:
        if hasher is not None:
            hasher.update(chunk)
        yield chunk


def _chosen(s3: S3, call: Call, upload: Upload) -> list[Part]:
    listed = (call.params.get("MultipartUpload") or {}).get("Parts") or []
    if not listed:
        raise faults.malformed_xml()
    numbers = [entry.get("PartNumber", 0) for entry in listed]
    if any(left >= right for left, right in pairwise(numbers)):
        raise CallerFault(
            "The list of parts was not in ascending order. Parts must be ordered by part number.", "InvalidPartOrder"
        )
    there = {part.number: part for part in s3.shelf.index.parts(upload.upload)}
    parts = []
    for entry in listed:
        part = there.get(entry.get("PartNumber", 0))
        if part is None or not _agrees(entry, part):
            raise CallerFault(
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the"
                " specified entity tag may not match the part's entity tag.",
                "InvalidPart",
                UploadId=upload.upload,
                PartNumber=entry.get("PartNumber", ""),
                ETag=entry.get("ETag", ""),
            )
        parts.append(part)
    _check_sizes(call, parts)
    return parts


def _agrees(entry: Mapping[str, Any], part: Part) -> bool:
    checks = part.facts.get("checks") or {}
    same = all(checks.get(name, value) == value for name, value in checksums.sent(entry).items())
    return same and entry.get("ETag", "").strip('"') == part.etag


def _check_sizes(call: Call, parts: list[Part]) -> None:
    for part in parts[:-1]:
        if part.size < SMALLEST_PART:
            raise CallerFault(
                "Your proposed upload is smaller than the minimum allowed size",
                "EntityTooSmall",
                ProposedSize=part.size,
                MinSizeAllowed=SMALLEST_PART,
                PartNumber=part.number,
                ETag=part.etag,
            )
    size, promised = sum(part.size for part in parts), call.params.get("MpuObjectSize")
    if promised is not None and promised != size:
        raise faults.invalid_request(f"The provided 'x-amz-mp-object-size' header value {promised} is not {size}.")


def _checked(call: Call, upload: Upload, parts: list[Part]) -> dict[str, str]:
    """The object's checksum from those of its parts; a promised one must agree."""
    algorithm, kind = upload.facts.get("algorithm", ""), upload.facts.get("kind", "")
    values = [part.facts["checks"][algorithm] for part in parts if algorithm in (part.facts.get("checks") or {})]
    if not algorithm or len(values) < len(parts):
        return {}
    if kind == checksums.FULL_OBJECT:
        value = checksums.whole(algorithm, zip(values, (part.size for part in parts), strict=True))
    else:
        value = checksums.composite(algorithm, values)
    promised = call.params.get(checksums.member(algorithm))
    if value and promised and promised not in (value, value.partition("-")[0]):
        message = f"The {algorithm.lower()} you specified did not match the calculated checksum."
        raise CallerFault(message, faults.BAD_DIGEST)
    value = value or promised
    return checksums.recorded({algorithm: value}, kind) if value else {}


@contextmanager
def _joined(s3: S3, parts: list[Part]) -> Iterator[Content]:
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False).hexdigest()
    etag = f"{digest}-{len(parts)}"
    if len(parts) == 1:
        yield Content(parts[0].blob, parts[0].size, etag)
        return
    draft = s3.shelf.blobs.join(part.blob for part in parts)
    try:
        yield Content(draft.finish(), draft.size, etag)
    except BaseException:
        draft.drop()
        raise
