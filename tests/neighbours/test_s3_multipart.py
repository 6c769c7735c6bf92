"""Multipart uploads through real boto3, by hand and by s3transfer."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from emulator.neighbours.s3 import S3, checksums
from tests.neighbours.s3_server import client, house, serving

BUCKET = "sagemaker-us-east-1-123456789012"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with house(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture(scope="module")
def s3(service: S3) -> Iterator[Any]:
    with serving(service) as address:
        yield client(address)


def begin(s3: Any, key: str, **more: Any) -> str:
    upload: str = s3.create_multipart_upload(Bucket=BUCKET, Key=key, **more)["UploadId"]
    return upload


def add(s3: Any, key: str, upload: str, number: int, body: bytes, **more: Any) -> dict[str, Any]:
    put = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body, **more)
    return {"PartNumber": number, **{name: put[name] for name in put if name == "ETag" or name.startswith("Checksum")}}


def complete(s3: Any, key: str, upload: str, parts: list[dict[str, Any]], **more: Any) -> Any:
    return s3.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
    )


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = caught.value.response["Error"]["Code"]
    return found


def test_parts_become_one_object(s3: Any, service: S3) -> None:
    first, second = os.urandom(5 * MIB), os.urandom(123)
    upload = begin(s3, "whole", ContentType="x/y", Metadata={"a": "1"}, Tagging="t=1")
    parts = [add(s3, "whole", upload, 2, b"replaced"), add(s3, "whole", upload, 7, second)]
    parts = [add(s3, "whole", upload, 2, first), parts[1]]
    listed = s3.list_parts(Bucket=BUCKET, Key="whole", UploadId=upload)
    assert [(part["PartNumber"], part["Size"]) for part in listed["Parts"]] == [(2, 5 * MIB), (7, 123)]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["whole"]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="whole")
    done = complete(s3, "whole", upload, parts)
    digests = hashlib.md5(first).digest() + hashlib.md5(second).digest()
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    got = s3.get_object(Bucket=BUCKET, Key="whole")
    assert got["Body"].read() == first + second and got["ContentType"] == "x/y" and got["Metadata"] == {"a": "1"}
    piece = s3.get_object(Bucket=BUCKET, Key="whole", PartNumber=2)
    assert piece["Body"].read() == second and piece["PartsCount"] == 2
    attributes = s3.get_object_attributes(Bucket=BUCKET, Key="whole", ObjectAttributes=["ObjectParts", "ObjectSize"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 2
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    with pytest.raises(s3.exceptions.NoSuchUpload):
        complete(s3, "whole", upload, parts)


def test_parts_that_do_not_fit(s3: Any) -> None:
    upload = begin(s3, "bad")
    parts = [add(s3, "bad", upload, 1, b"small"), add(s3, "bad", upload, 2, b"last")]
    with pytest.raises(ClientError) as caught:
        complete(s3, "bad", upload, parts)
    assert code(caught) == "EntityTooSmall"
    with pytest.raises(ClientError) as caught:
        complete(s3, "bad", upload, parts[::-1])
    assert code(caught) == "InvalidPartOrder"
    with pytest.raises(ClientError) as caught:
        complete(s3, "bad", upload, [{**parts[0], "ETag": '"0"'}])
    assert code(caught) == "InvalidPart"
    with pytest.raises(ClientError) as caught:
        add(s3, "bad", upload, 10_001, b"x")
    assert code(caught) == "InvalidArgument"
    with pytest.raises(ClientError) as caught:
        add(s3, "other", upload, 1, b"x")
    assert code(caught) == "NoSuchUpload"
    assert complete(s3, "bad", upload, parts[:1])["ETag"].endswith('-1"')


def test_an_aborted_upload_leaves_no_bytes(s3: Any, service: S3) -> None:
    before = service.shelf.index.blobs()
    upload = begin(s3, "aborted")
    add(s3, "aborted", upload, 1, b"x" * 100)
    assert len(service.shelf.index.blobs()) == len(before) + 1
    s3.abort_multipart_upload(Bucket=BUCKET, Key="aborted", UploadId=upload)
    assert files(service) == before == service.shelf.index.blobs()
    with pytest.raises(s3.exceptions.NoSuchUpload):
        s3.list_parts(Bucket=BUCKET, Key="aborted", UploadId=upload)


def files(service: S3) -> set[str]:
    return {path.name for path in service.shelf.blobs._folder.glob("*/*")}


def test_parts_copied_from_objects(s3: Any) -> None:
    body = os.urandom(6 * MIB)
    s3.put_object(Bucket=BUCKET, Key="source", Body=body)
    upload = begin(s3, "copied")
    where = {"Bucket": BUCKET, "Key": "copied", "UploadId": upload, "CopySource": {"Bucket": BUCKET, "Key": "source"}}
    one = s3.upload_part_copy(**where, PartNumber=1)["CopyPartResult"]["ETag"]
    two = s3.upload_part_copy(**where, PartNumber=2, CopySourceRange="bytes=10-19")["CopyPartResult"]["ETag"]
    with pytest.raises(ClientError) as caught:
        s3.upload_part_copy(**where, PartNumber=3, CopySourceRange=f"bytes=0-{7 * MIB}")
    assert code(caught) == "InvalidArgument"
    complete(s3, "copied", upload, [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}])
    assert s3.get_object(Bucket=BUCKET, Key="copied")["Body"].read() == body + body[10:20]


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_composite_checksums(s3: Any, algorithm: str) -> None:
    bodies = [os.urandom(5 * MIB), b"end"]
    upload = begin(s3, "sums", ChecksumAlgorithm=algorithm)
    parts = [add(s3, "sums", upload, n, body, ChecksumAlgorithm=algorithm) for n, body in enumerate(bodies, 1)]
    done = complete(s3, "sums", upload, parts)
    values = [base64.b64decode(part["Checksum" + algorithm]) for part in parts]
    joined = b"".join(values)
    digest = zlib.crc32(joined).to_bytes(4, "big") if algorithm == "CRC32" else hashlib.sha256(joined).digest()
    assert done["Checksum" + algorithm] == base64.b64encode(digest).decode() + "-2"
    head = s3.head_object(Bucket=BUCKET, Key="sums", ChecksumMode="ENABLED")
    assert head["ChecksumType"] == "COMPOSITE" and head["Checksum" + algorithm] == done["Checksum" + algorithm]
    assert s3.get_object(Bucket=BUCKET, Key="sums")["Body"].read() == b"".join(bodies)


def test_full_object_checksums(s3: Any) -> None:
    bodies = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"end"]
    upload = begin(s3, "full", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [add(s3, "full", upload, n, body) for n, body in enumerate(bodies, 1)]
    right = base64.b64encode(zlib.crc32(b"".join(bodies)).to_bytes(4, "big")).decode()
    with pytest.raises(ClientError) as caught:
        complete(s3, "full", upload, parts, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")
    assert code(caught) == "BadDigest"
    done = complete(s3, "full", upload, parts, ChecksumCRC32=right, ChecksumType="FULL_OBJECT")
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (right, "FULL_OBJECT")
    assert s3.get_object(Bucket=BUCKET, Key="full")["Body"].read() == b"".join(bodies), "botocore verified it"


@pytest.mark.parametrize(
    ("algorithm", "check"),
    # The check values of the CRC catalogue: of "123456789".
    [("CRC32", 0xCBF43926), ("CRC32C", 0xE3069283), ("CRC64NVME", 0xAE8B14860A799888)],
)
def test_crcs_of_parts_combine(algorithm: str, check: int) -> None:
    width, polynomial = checksums._CRCS[algorithm]

    def crc(data: bytes) -> int:
        value = (1 << width) - 1
        for byte in data:
            value ^= byte
            for _ in range(8):
                value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        return value ^ ((1 << width) - 1)

    def text(value: int) -> str:
        return base64.b64encode(value.to_bytes(width // 8, "big")).decode()

    assert crc(b"123456789") == check
    parts = [b"123", b"4", b"", b"56789"]
    assert checksums.whole(algorithm, [(text(crc(part)), len(part)) for part in parts]) == text(check)


def test_s3transfer_up_and_down(s3: Any, tmp_path: Path) -> None:
    source = tmp_path / "big"
    source.write_bytes(os.urandom(20 * MIB + 7))
    config = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=6 * MIB)
    s3.upload_file(str(source), BUCKET, "big", Config=config)
    assert s3.head_object(Bucket=BUCKET, Key="big")["ETag"].endswith('-4"')
    s3.download_file(BUCKET, "big", str(tmp_path / "back"), Config=config)
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    s3.copy({"Bucket": BUCKET, "Key": "big"}, BUCKET, "big-copy", Config=config)
    assert s3.get_object(Bucket=BUCKET, Key="big-copy")["Body"].read() == source.read_bytes()


def test_lists_of_uploads_and_parts_in_pages(s3: Any) -> None:
    uploads = [begin(s3, key) for key in ("p/a", "p/a", "p/b", "q")]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 1})
    assert sorted(u["UploadId"] for page in pages for u in page["Uploads"]) == sorted(uploads)
    page = s3.list_multipart_uploads(Bucket=BUCKET, Delimiter="/", MaxUploads=1)
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["p/"] and page["IsTruncated"]
    page = s3.list_multipart_uploads(Bucket=BUCKET, Delimiter="/", KeyMarker=page["NextKeyMarker"])
    assert [u["Key"] for u in page["Uploads"]] == ["q"] and "CommonPrefixes" not in page
    for number in range(1, 6):
        add(s3, "q", uploads[3], number, b"x")
    parts = s3.get_paginator("list_parts").paginate(
        Bucket=BUCKET, Key="q", UploadId=uploads[3], PaginationConfig={"PageSize": 2}
    )
    assert [part["PartNumber"] for page in parts for part in page["Parts"]] == [1, 2, 3, 4, 5]
    for key, upload in zip(("p/a", "p/a", "p/b", "q"), uploads, strict=True):
        s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)
