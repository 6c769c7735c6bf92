"""Buckets of AWS's own: filled when they are first asked for, read by everybody, written to by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from emulator.clock import ManualClock
from emulator.neighbours.s3 import S3
from emulator.storage.folder import FolderStorage
from emulator.storage.shelf import Shelf
from emulator.store import open_store
from emulator.store.objects import Bucket, ObjectIndex
from tests.neighbours.s3_server import ACCOUNT, client, serving

NAME = "public-prod-eu-west-1"
OBJECTS = {"a/list.json": b"[]", "b.bin": bytes(range(256)) * 5000}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ObjectIndex]:
    store = open_store(tmp_path / "house.db")
    yield store.objects
    store.close()


def shelf_of(index: ObjectIndex, folder: Path, objects: dict[str, bytes]) -> Shelf:
    return Shelf(index, folder / "s3", ManualClock(), lambda name: objects if name == NAME else {})


@pytest.fixture
def shelf(index: ObjectIndex, tmp_path: Path) -> Shelf:
    return shelf_of(index, tmp_path, OBJECTS)


def test_nothing_is_written_before_it_is_asked_for(shelf: Shelf, index: ObjectIndex, tmp_path: Path) -> None:
    shelf.bucket("another")
    assert index.bucket(NAME) is None
    assert not [path for path in (tmp_path / "s3").rglob("*") if path.is_file()]


def test_jobs_read_it_without_anybody_having_made_it(shelf: Shelf, tmp_path: Path) -> None:
    storage = FolderStorage(shelf, ACCOUNT)
    with storage.open(NAME, "b.bin") as body:
        assert body.read() == OBJECTS["b.bin"]
    assert [found.key for found in storage.list(NAME, "a/")] == ["a/list.json"]
    storage.fetch(NAME, "b.bin", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == OBJECTS["b.bin"]
    with pytest.raises(FileNotFoundError, match=r"public-prod-eu-west-1/absent does not exist"):
        storage.head(NAME, "absent")
    with pytest.raises(FileNotFoundError, match="AWS's own: nobody else may write to it"):
        storage.store(tmp_path / "fetched", NAME, "mine")


def test_a_newer_server_replaces_what_an_older_one_put_there(index: ObjectIndex, tmp_path: Path) -> None:
    older = shelf_of(index, tmp_path, {"a/list.json": b"[1]", "b.bin": OBJECTS["b.bin"], "gone": b""})
    older.bucket(NAME)
    kept = index.get(NAME, "b.bin")
    storage = FolderStorage(shelf_of(index, tmp_path, OBJECTS), ACCOUNT)
    assert {found.key: found.size for found in storage.list(NAME, "")} == {"a/list.json": 2, "b.bin": 1_280_000}
    assert index.get(NAME, "b.bin") == kept


def test_it_comes_back_after_everything_was_forgotten(shelf: Shelf) -> None:
    from emulator.call import EVERYTHING

    shelf.bucket(NAME)
    shelf.drop(EVERYTHING)
    assert shelf.bucket(NAME) is not None and shelf.index.get(NAME, "b.bin") is not None


def test_clients_read_it_and_may_not_change_it(shelf: Shelf) -> None:
    with serving(S3(shelf)) as url:
        s3 = client(url)
        assert s3.head_object(Bucket=NAME, Key="a/list.json")["ContentLength"] == 2
        assert s3.get_object(Bucket=NAME, Key="b.bin", Range="bytes=1-2")["Body"].read() == b"\1\2"
        assert NAME not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        s3.create_bucket(Bucket="mine")
        s3.copy_object(Bucket="mine", Key="b", CopySource={"Bucket": NAME, "Key": "b.bin"})
        assert s3.get_object(Bucket="mine", Key="b")["Body"].read() == OBJECTS["b.bin"]
        refused = {
            "AccessDenied": [
                lambda: s3.put_object(Bucket=NAME, Key="mine", Body=b""),
                lambda: s3.delete_object(Bucket=NAME, Key="b.bin"),
                lambda: s3.create_multipart_upload(Bucket=NAME, Key="mine"),
                lambda: s3.copy_object(Bucket=NAME, Key="c", CopySource={"Bucket": NAME, "Key": "b.bin"}),
                lambda: s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"}),
                lambda: s3.delete_bucket(Bucket=NAME),
            ],
            "BucketAlreadyExists": [lambda: s3.create_bucket(Bucket=NAME)],
        }
        for code, calls in refused.items():
            for call in calls:
                with pytest.raises(ClientError) as fault:
                    call()
                assert fault.value.response["Error"]["Code"] == code


def test_its_name_is_taken_even_before_anybody_read_it(shelf: Shelf) -> None:
    with serving(S3(shelf)) as url, pytest.raises(ClientError, match="BucketAlreadyExists"):
        client(url).create_bucket(Bucket=NAME)


def test_one_that_somebody_made_before_there_were_any_stays_theirs(shelf: Shelf, index: ObjectIndex) -> None:
    index.create_bucket(Bucket(NAME, ACCOUNT, "us-east-1", 0.0))
    with serving(S3(shelf)) as url:
        s3 = client(url)
        s3.put_object(Bucket=NAME, Key="mine", Body=b"x")
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=NAME)["Contents"]] == ["mine"]
