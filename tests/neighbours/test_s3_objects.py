"""Objects through real boto3 and a real socket: bytes, metadata, ranges, conditions, copies, deletes."""

from __future__ import annotations

import base64
import hashlib
import urllib.request
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from tests.neighbours.s3_server import client, house, serving

BUCKET = "sagemaker-us-east-1-123456789012"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with house(tmp_path_factory.mktemp("s3")) as s3, serving(s3) as address:
        yield address


@pytest.fixture(scope="module")
def s3(url: str) -> Any:
    return client(url)


def code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_put_and_get_with_all_that_is_said_about_it(s3: Any) -> None:
    expires = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    body = b"1,2\n3,4\n"
    put = s3.put_object(
        Bucket=BUCKET, Key="a/b c+ü&%2F~.csv", Body=body, ContentType="text/csv", CacheControl="no-store",
        ContentDisposition="attachment", ContentEncoding="identity", ContentLanguage="de", Expires=expires,
        Metadata={"Kind": "train", "n": "2"}, Tagging="x=1&y=a%20b", StorageClass="STANDARD_IA",
    )  # fmt: skip
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    got = s3.get_object(Bucket=BUCKET, Key="a/b c+ü&%2F~.csv")
    assert got["Body"].read() == body
    assert got["ContentType"] == "text/csv" and got["CacheControl"] == "no-store" and got["ContentLanguage"] == "de"
    assert got["Metadata"] == {"kind": "train", "n": "2"} and got["TagCount"] == 2
    assert got["Expires"] == expires and got["StorageClass"] == "STANDARD_IA" and got["ContentEncoding"] == "identity"
    assert got["ContentLength"] == 8 and got["ETag"] == put["ETag"] and got["AcceptRanges"] == "bytes"
    assert abs(got["LastModified"] - datetime.now(timezone.utc)) < timedelta(minutes=1)
    head = s3.head_object(Bucket=BUCKET, Key="a/b c+ü&%2F~.csv")
    assert head["ContentLength"] == 8 and head["Metadata"] == {"kind": "train", "n": "2"}
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="a/b")["Contents"][0]["Key"] == "a/b c+ü&%2F~.csv"


def test_an_empty_object_and_slashes_in_keys(s3: Any) -> None:
    for key in ("empty", "folder/", "a//b", "./c", "x/../y"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b""
        assert key in [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def test_what_is_absent(s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="absent")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.get_object(Bucket="no-such-bucket", Key="absent")
    with pytest.raises(ClientError) as caught:
        s3.head_object(Bucket=BUCKET, Key="absent")
    assert code(caught) == ("404", 404)
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=BUCKET, Key="absent", VersionId="v1")
    assert code(caught)[0] == "NoSuchVersion"


@pytest.mark.parametrize(
    ("asked", "body", "where"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-30", b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_ranges(s3: Any, asked: str, body: bytes, where: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    got = s3.get_object(Bucket=BUCKET, Key="range", Range=asked)
    assert (got["Body"].read(), got["ContentRange"]) == (body, where)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert s3.head_object(Bucket=BUCKET, Key="range", Range=asked)["ContentLength"] == len(body)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_ranges_that_cannot_be(s3: Any, asked: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=BUCKET, Key="range", Range=asked)
    assert code(caught) == ("InvalidRange", 416)
    assert caught.value.response["Error"]["ActualObjectSize"] == "10"


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=a-b", "bytes=5-2", "bytes=0-1,3-4"])
def test_ranges_that_are_not_understood_mean_everything(s3: Any, asked: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    assert s3.get_object(Bucket=BUCKET, Key="range", Range=asked)["Body"].read() == b"0123456789"


def test_conditional_reads(s3: Any) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key="cond", Body=b"x")["ETag"]
    past, future = (datetime.now(timezone.utc) + timedelta(hours=h) for h in (-1, 1))
    new = {"IfNoneMatch": '"other"'}
    for good in ({"IfMatch": etag}, new, {"IfModifiedSince": past}, {"IfUnmodifiedSince": future}):
        assert s3.get_object(Bucket=BUCKET, Key="cond", **good)["Body"].read() == b"x"
    s3.get_object(Bucket=BUCKET, Key="cond", IfMatch=etag, IfUnmodifiedSince=past)["Body"].read()
    for stale in ({"IfNoneMatch": etag}, {"IfNoneMatch": "*"}, {"IfModifiedSince": future}):
        with pytest.raises(ClientError) as caught:
            s3.get_object(Bucket=BUCKET, Key="cond", **stale)
        assert code(caught)[1] == 304
    for failed in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": past}):
        with pytest.raises(ClientError) as caught:
            s3.get_object(Bucket=BUCKET, Key="cond", **failed)
        assert code(caught) == ("PreconditionFailed", 412)


def test_conditional_writes(s3: Any) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="once", Body=b"2", IfNoneMatch="*")
    assert code(caught) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="once", Body=b"2", IfMatch='"0"')
    assert code(caught) == ("PreconditionFailed", 412)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.put_object(Bucket=BUCKET, Key="never", Body=b"2", IfMatch=etag)
    assert s3.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"1"
    s3.put_object(Bucket=BUCKET, Key="once", Body=b"3", IfMatch=etag)
    with pytest.raises(ClientError) as caught:
        s3.delete_object(Bucket=BUCKET, Key="once", IfMatch=etag)
    assert code(caught) == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"3"


def test_checksums_and_digests_are_verified(s3: Any) -> None:
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        put = s3.put_object(Bucket=BUCKET, Key="sum", Body=b"abc", ChecksumAlgorithm=algorithm)
        member = f"Checksum{algorithm}"
        head = s3.head_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")
        assert head[member] == put[member] and head["ChecksumType"] == "FULL_OBJECT"
        assert member not in s3.head_object(Bucket=BUCKET, Key="sum")
    attributes = s3.get_object_attributes(
        Bucket=BUCKET, Key="sum", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"]
    )
    assert attributes["ETag"] == hashlib.md5(b"abc").hexdigest() and attributes["ObjectSize"] == 3
    assert base64.b64decode(attributes["Checksum"]["ChecksumSHA256"]) == hashlib.sha256(b"abc").digest()
    for wrong in ({"ContentMD5": base64.b64encode(bytes(16)).decode()}, {"ChecksumCRC32": "AAAAAA=="}):
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket=BUCKET, Key="bad", Body=b"abc", **wrong)
        assert code(caught) == ("BadDigest", 400)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="bad")


def test_copies(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="src /ü", Body=b"data", Metadata={"a": "1"}, Tagging="t=1", ContentType="x/y")
    source = {"Bucket": BUCKET, "Key": "src /ü"}
    etag = s3.copy_object(Bucket=BUCKET, Key="dst", CopySource=source)["CopyObjectResult"]["ETag"]
    got = s3.get_object(Bucket=BUCKET, Key="dst")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"data", {"a": "1"}, "x/y")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="dst")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(
        Bucket=BUCKET, Key="dst", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"},
        TaggingDirective="REPLACE", Tagging="u=2",
    )  # fmt: skip
    got = s3.head_object(Bucket=BUCKET, Key="dst")
    assert got["Metadata"] == {"b": "2"} and got["ContentType"] == "binary/octet-stream"
    assert s3.get_object_tagging(Bucket=BUCKET, Key="dst")["TagSet"] == [{"Key": "u", "Value": "2"}]
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket=BUCKET, Key="dst", CopySource=source, CopySourceIfNoneMatch=etag)
    assert code(caught) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket=BUCKET, Key="src /ü", CopySource=source)
    assert code(caught) == ("InvalidRequest", 400)
    s3.copy_object(Bucket=BUCKET, Key="src /ü", CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "1"})
    assert s3.head_object(Bucket=BUCKET, Key="src /ü")["Metadata"] == {"new": "1"}
    s3.delete_object(Bucket=BUCKET, Key="src /ü")
    assert s3.get_object(Bucket=BUCKET, Key="dst")["Body"].read() == b"data", "the copy outlives its source"
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.copy_object(Bucket=BUCKET, Key="dst", CopySource=source)


def test_deletes(s3: Any) -> None:
    for name in "abc":
        s3.put_object(Bucket=BUCKET, Key=f"del/{name}", Body=b"x")
    assert s3.delete_object(Bucket=BUCKET, Key="del/never")["ResponseMetadata"]["HTTPStatusCode"] == 204
    done = s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": "del/a"}, {"Key": "del/absent"}, {"Key": "del/b"}]}
    )
    assert [entry["Key"] for entry in done["Deleted"]] == ["del/a", "del/absent", "del/b"]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="del/")["Contents"]] == ["del/c"]
    quiet = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "del/c"}], "Quiet": True})
    assert "Deleted" not in quiet and "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="del/")


def test_presigned_urls(s3: Any) -> None:
    put = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "signed ü"}, ExpiresIn=60)
    with urllib.request.urlopen(urllib.request.Request(put, data=b"by url", method="PUT")) as reply:
        assert reply.status == 200
    params = {"Bucket": BUCKET, "Key": "signed ü", "ResponseContentType": "text/x", "ResponseCacheControl": "private"}
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=params)) as reply:
        assert reply.read() == b"by url"
        assert (reply.headers["content-type"], reply.headers["cache-control"]) == ("text/x", "private")
    old = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
    for name in ("X-Amz-Date=", "Expires="):
        if name in old:
            start = old.index(name) + len(name)
            long_ago = "20200101T000000Z" if "Amz" in name else "1577836800"
            old = old[:start] + long_ago + old[start:].lstrip("0123456789TZ")
            break
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(old)
    with caught.value as reply:
        assert reply.status == 403 and b"Request has expired" in reply.read()


def test_tags_of_objects(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"x")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == tags
    for bad in ([{"Key": "k", "Value": "1"}] * 2, [{"Key": str(n), "Value": ""} for n in range(11)]):
        with pytest.raises(ClientError):
            s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": bad})
    s3.delete_object_tagging(Bucket=BUCKET, Key="tagged")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []


def test_what_is_not_built_says_so(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="sql", Body=b"1,2")
    with pytest.raises(ClientError) as caught:
        s3.restore_object(Bucket=BUCKET, Key="sql", RestoreRequest={"Days": 1})
    assert code(caught) == ("NotImplemented", 501) and "RestoreObject" in str(caught.value)
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="locked", Body=b"", ObjectLockLegalHoldStatus="ON")
    assert code(caught) == ("NotImplemented", 501) and "Object Lock" in str(caught.value)


def test_bad_arguments(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="k" * 1025, Body=b"")
    assert code(caught) == ("KeyTooLongError", 400)
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="meta", Body=b"", Metadata={"a": "x" * 3000})
    assert code(caught) == ("MetadataTooLarge", 400)
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=BUCKET, Key="k", ExpectedBucketOwner="999999999999")
    assert code(caught) == ("AccessDenied", 403)


def test_acls_are_recorded(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="acl", Body=b"x")
    mine = s3.get_object_acl(Bucket=BUCKET, Key="acl")
    assert [grant["Permission"] for grant in mine["Grants"]] == ["FULL_CONTROL"]
    assert mine["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"
    s3.put_object_acl(Bucket=BUCKET, Key="acl", ACL="public-read")
    grants = s3.get_object_acl(Bucket=BUCKET, Key="acl")["Grants"]
    everybody = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    assert {"Grantee": everybody, "Permission": "READ"} in grants
    policy = {"Owner": mine["Owner"], "Grants": mine["Grants"]}
    s3.put_object_acl(Bucket=BUCKET, Key="acl", AccessControlPolicy=policy)
    assert s3.get_object_acl(Bucket=BUCKET, Key="acl")["Grants"] == mine["Grants"]
