"""Reading objects: the right version, conditions, ranges, headers as they were put or as the caller overrides them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from emulator.call import Answer, Call
from emulator.errors import CallerFault
from emulator.neighbours.s3 import conditions, faults
from emulator.neighbours.s3.service import S3, quoted

if TYPE_CHECKING:
    from emulator.store.objects import Bucket, Version

_PIECE = 256 * 1024
_GIVEN_BACK = (
    "ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Expires", "Metadata",
    "StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled",
)  # fmt: skip
_OVERRIDES = _GIVEN_BACK[:6]


class Piece:
    """A stretch of a file as chunks; closes the file at the end, or when the client hangs up before."""

    def __init__(self, file: BinaryIO, first: int, size: int) -> None:
        self._file, self._left = file, size
        if first:
            file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        with self._file:
            while self._left and (data := self._file.read(min(_PIECE, self._left))):
                self._left -= len(data)
                yield data

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def get_object(s3: S3, call: Call) -> Answer:
    """The bytes of an object, or a range of them."""
    bucket = s3.bucket(call)
    version, file = s3.shelf.open(lambda: find(s3, call))
    try:
        answer, first = _facts(bucket, version, call)
        size = answer["ContentLength"]
        piece = Piece(file, first, size)
        return {**answer, "Body": b"".join(piece) if size <= _PIECE else piece}
    except BaseException:
        file.close()
        raise


def head_object(s3: S3, call: Call) -> Answer:
    """Everything but the bytes."""
    return _facts(s3.bucket(call), find(s3, call), call)[0]


def get_object_attributes(s3: S3, call: Call) -> Answer:
    """The attributes that are asked for."""
    bucket, version = s3.bucket(call), find(s3, call)
    wanted, facts = call.params.get("ObjectAttributes") or [], version.facts
    checks, parts = dict(facts.get("checksums") or {}), facts.get("parts")
    attributes: dict[str, Any] = {
        "ETag": version.etag,
        "Checksum": checks or None,
        "ObjectParts": {"TotalPartsCount": len(parts)} if parts else None,
        "StorageClass": facts.get("StorageClass", "STANDARD"),
        "ObjectSize": version.size,
    }
    unknown = [name for name in wanted if name not in attributes]
    if unknown or not wanted:
        raise faults.invalid("x-amz-object-attributes", ",".join(unknown), "Invalid attribute name specified.")
    found = {name: attributes[name] for name in wanted}
    return {**found, "LastModified": version.modified, "VersionId": shown_version(bucket, version)}


def find(s3: S3, call: Call) -> Version:
    """The version that a call asks for; S3's fault when it is absent or a delete marker."""
    name, key, wanted = call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
    found = s3.shelf.index.get(name, key, wanted)
    if found is None:
        s3.bucket(call)
        raise faults.no_such_version(key, wanted) if wanted else faults.no_such_key(key)
    if found.marker:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": found.version}
        if wanted:
            raise CallerFault(
                "The specified method is not allowed against this resource.",
                "MethodNotAllowed",
                Method="GET",
                ResourceType="DeleteMarker",
                Headers={**headers, "allow": "DELETE"},
            )
        raise faults.no_such_key(key, **headers)
    return found


def shown_version(bucket: Bucket, version: Version) -> str | None:
    """The version id, for buckets that ever had versioning."""
    return version.version if bucket.versioning else None


def _facts(bucket: Bucket, version: Version, call: Call) -> tuple[dict[str, Any], int]:
    params, facts = call.params, version.facts
    conditions.check_read(version, params)
    stretch, parts = _stretch(version, params)
    answer: dict[str, Any] = {name: facts[name] for name in _GIVEN_BACK if name in facts}
    answer.setdefault("ContentType", "binary/octet-stream")
    answer.update({name: params["Response" + name] for name in _OVERRIDES if params.get("Response" + name)})
    answer.update(
        AcceptRanges="bytes",
        ETag=quoted(version.etag),
        LastModified=version.modified,
        ContentLength=version.size,
        VersionId=shown_version(bucket, version),
        PartsCount=parts,
        TagCount=len(facts.get("tags") or ()) or None,
    )
    if stretch is None:
        if params.get("ChecksumMode", "").upper() == "ENABLED":
            answer.update(facts.get("checksums") or {})
        return answer, 0
    first, last = stretch
    answer["ContentLength"] = last - first + 1
    answer["ContentRange"] = f"bytes {first}-{last}/{version.size}"
    answer["ResponseMetadata"] = {"HTTPStatusCode": 206}
    return answer, first


def _stretch(version: Version, params: Mapping[str, Any]) -> tuple[tuple[int, int] | None, int | None]:
    """The bytes that are asked for (None: all), by range or by part number; with the latter the number of parts."""
    number = params.get("PartNumber")
    if number is None:
        return conditions.parse_range(params.get("Range"), version.size), None
    if params.get("Range"):
        raise faults.invalid_request("Cannot specify both Range header and partNumber query parameter")
    sizes = version.facts.get("parts") or [version.size]
    if not 1 <= number <= len(sizes):
        message = "The requested partnumber is not satisfiable"
        raise CallerFault(message, "InvalidPartNumber", PartNumberRequested=number)
    first = sum(sizes[: number - 1])
    count = len(sizes) if "parts" in version.facts else None
    return ((first, first + sizes[number - 1] - 1) if version.size else None), count
