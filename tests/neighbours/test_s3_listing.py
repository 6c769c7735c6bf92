"""Lists through real boto3: order, prefixes, delimiters, pages, keys that XML cannot hold, versions."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.neighbours.s3_server import client, house, serving

KEYS = ["a", "a b", "a+b", "a/1", "a/2", "a/b/3", "a0", "b/1", "b/c/d", "c\x01\r\n", "z%2F", "ä", "\U0001f600"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with house(tmp_path_factory.mktemp("s3")) as service, serving(service) as address:
        yield address


@pytest.fixture(scope="module")
def s3(url: str) -> Any:
    found = client(url)
    found.create_bucket(Bucket="listed")
    for key in reversed(KEYS):
        found.put_object(Bucket="listed", Key=key, Body=key.encode())
    return found


def keys(page: Any) -> list[str]:
    return [entry["Key"] for entry in page.get("Contents", ())]


def prefixes(page: Any) -> list[str]:
    return [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_join_to_the_whole_in_the_order_of_bytes(s3: Any, operation: str, size: int) -> None:
    paginator = s3.get_paginator(operation)
    pages = list(paginator.paginate(Bucket="listed", PaginationConfig={"PageSize": size}))
    assert [key for page in pages for key in keys(page)] == sorted(KEYS, key=str.encode)
    assert all(len(keys(page)) <= size for page in pages)
    rolled = list(paginator.paginate(Bucket="listed", Delimiter="/", PaginationConfig={"PageSize": size}))
    assert [name for page in rolled for name in prefixes(page)] == ["a/", "b/"]
    expected = [key for key in sorted(KEYS, key=str.encode) if "/" not in key]
    assert [key for page in rolled for key in keys(page)] == expected


def test_prefix_start_and_owner(s3: Any) -> None:
    page = s3.list_objects_v2(Bucket="listed", Prefix="a/", Delimiter="/")
    assert (keys(page), prefixes(page), page["KeyCount"]) == (["a/1", "a/2"], ["a/b/"], 3)
    page = s3.list_objects_v2(Bucket="listed", StartAfter="b/1", MaxKeys=2, FetchOwner=True)
    assert keys(page) == ["b/c/d", "c\x01\r\n"] and page["IsTruncated"] and page["StartAfter"] == "b/1"
    assert len(page["Contents"][0]["Owner"]["ID"]) == 64
    assert "Owner" not in s3.list_objects_v2(Bucket="listed")["Contents"][0]
    assert keys(s3.list_objects(Bucket="listed", Marker="a/b/3", MaxKeys=1)) == ["a0"]
    page = s3.list_objects_v2(Bucket="listed", MaxKeys=0)
    assert page["KeyCount"] == 0 and not page["IsTruncated"]
    assert keys(s3.list_objects_v2(Bucket="listed", Prefix="none")) == []


def test_entries_tell_size_etag_and_checksum(s3: Any) -> None:
    entry = s3.list_objects_v2(Bucket="listed", Prefix="a/1")["Contents"][0]
    head = s3.head_object(Bucket="listed", Key="a/1")
    assert (entry["Size"], entry["ETag"], entry["StorageClass"]) == (3, head["ETag"], "STANDARD")
    assert entry["ChecksumAlgorithm"] == ["CRC32"]
    assert entry["LastModified"].replace(microsecond=0) == head["LastModified"]


def test_bad_arguments(s3: Any, url: str) -> None:
    for wrong in ({"ContinuationToken": "!"}, {"MaxKeys": -1}, {"EncodingType": "x"}):
        with pytest.raises(ClientError) as caught:
            s3.list_objects_v2(Bucket="listed", **wrong)
        assert caught.value.response["Error"]["Code"] == "InvalidArgument"
    with pytest.raises(urllib.request.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/listed?list-type=2&max-keys=many")
    with refused.value as reply:
        assert reply.status == 400 and b"<ArgumentValue>many</ArgumentValue>" in reply.read()


def test_roots_have_the_names_that_other_clients_check(s3: Any, url: str) -> None:
    with urllib.request.urlopen(f"{url}/listed?list-type=2&prefix=a/") as reply:
        text = reply.read().decode()
    assert "<ListBucketResult xmlns=" in text and "<Key>a/1</Key>" in text and "&quot;" in text


def test_many_prefixes_are_skipped_not_read(s3: Any) -> None:
    s3.create_bucket(Bucket="deep")
    for folder in range(5):
        for name in range(12):
            s3.put_object(Bucket="deep", Key=f"{folder}/{name}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="deep", Delimiter="/", PaginationConfig={"PageSize": 2})
    assert [prefixes(page) for page in pages] == [["0/", "1/"], ["2/", "3/"], ["4/"]]


@pytest.fixture
def kept(s3: Any) -> str:
    s3.create_bucket(Bucket="kept")
    assert "Status" not in s3.get_bucket_versioning(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"0")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    return "kept"


def test_versions(s3: Any, kept: str) -> None:
    first = s3.put_object(Bucket=kept, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=kept, Key="k", Body=b"2")["VersionId"]
    gone = s3.delete_object(Bucket=kept, Key="k")
    assert gone["DeleteMarker"] and gone["VersionId"] not in (first, second)
    with pytest.raises(s3.exceptions.NoSuchKey) as absent:
        s3.get_object(Bucket=kept, Key="k")
    assert absent.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=kept, Key="k", VersionId=gone["VersionId"])
    assert caught.value.response["Error"]["Code"] == "MethodNotAllowed"
    for version, body in ((first, b"1"), (second, b"2"), ("null", b"0")):
        got = s3.get_object(Bucket=kept, Key="k", VersionId=version)
        assert (got["Body"].read(), got["VersionId"]) == (body, version)
    assert keys(s3.list_objects_v2(Bucket=kept)) == []

    page = s3.list_object_versions(Bucket=kept)
    assert [v["VersionId"] for v in page["Versions"]] == [second, first, "null"]
    assert [(m["VersionId"], m["IsLatest"]) for m in page["DeleteMarkers"]] == [(gone["VersionId"], True)]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=kept, PaginationConfig={"PageSize": 1})
    assert [v["VersionId"] for p in pages for v in p.get("Versions", ())] == [second, first, "null"]

    copied = s3.copy_object(Bucket=kept, Key="copy", CopySource={"Bucket": kept, "Key": "k", "VersionId": first})
    assert copied["CopySourceVersionId"] == first
    assert s3.get_object(Bucket=kept, Key="copy")["Body"].read() == b"1"
    s3.delete_object(Bucket=kept, Key="k", VersionId=gone["VersionId"])
    assert s3.get_object(Bucket=kept, Key="k")["Body"].read() == b"2"
    s3.delete_object(Bucket=kept, Key="k", VersionId=second)
    assert s3.get_object(Bucket=kept, Key="k")["Body"].read() == b"1"

    s3.put_bucket_versioning(Bucket=kept, VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(Bucket=kept, Key="k", Body=b"3")["VersionId"] == "null"
    assert [v["VersionId"] for v in s3.list_object_versions(Bucket=kept, Prefix="k")["Versions"]] == ["null", first]
    marked = s3.delete_object(Bucket=kept, Key="k")
    assert (marked["DeleteMarker"], marked["VersionId"]) == (True, "null")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket=kept)
    assert caught.value.response["Error"]["Code"] == "BucketNotEmpty"
    entries = s3.list_object_versions(Bucket=kept)
    objects = [{"Key": e["Key"], "VersionId": e["VersionId"]} for e in entries["Versions"] + entries["DeleteMarkers"]]
    assert len(s3.delete_objects(Bucket=kept, Delete={"Objects": objects})["Deleted"]) == len(objects)
    s3.delete_bucket(Bucket=kept)


def test_versions_roll_up(s3: Any) -> None:
    page = s3.list_object_versions(Bucket="listed", Delimiter="/", Prefix="a")
    assert [v["Key"] for v in page["Versions"]] == ["a", "a b", "a+b", "a0"] and prefixes(page) == ["a/"]
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket="listed", Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    assert [name for page in pages for name in prefixes(page)] == ["a/", "b/"]
