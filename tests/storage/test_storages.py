"""Both storages keep the contract; the folder keeps its bytes through crashes, links and full disks."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from emulator.clock import ManualClock
from emulator.neighbours.s3 import S3
from emulator.ports import Storage
from emulator.storage import blobs
from emulator.storage.divided import DividedS3, DividedStorage
from emulator.storage.external import ExternalS3, ExternalStorage
from emulator.storage.folder import FolderStorage
from emulator.storage.shelf import Shelf
from emulator.store import open_store
from emulator.store.objects import ObjectIndex
from tests.contracts.storage_contract import StorageContract
from tests.neighbours.s3_server import ACCOUNT, client, serving


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ObjectIndex]:
    store = open_store(tmp_path / "house.db")
    yield store.objects
    store.close()


@pytest.fixture
def shelf(index: ObjectIndex, tmp_path: Path) -> Shelf:
    return Shelf(index, tmp_path / "s3", ManualClock())


class TestFolder(StorageContract):
    @pytest.fixture
    def storage(self, shelf: Shelf) -> Storage:
        found = FolderStorage(shelf, ACCOUNT)
        found.make_bucket("data", "us-east-1")
        return found


class TestExternal(StorageContract):
    """Against our own server, as if it were somebody else's."""

    @pytest.fixture
    def storage(self, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        with serving(S3(shelf)) as url:
            found = ExternalStorage(url, "us-east-1")
            found.make_bucket("data", "us-east-1")
            yield found
            found._client.close()


PUBLIC = "jumpstart-cache-prod-eu-west-1"


class Parted:
    """An external S3 behind ours, and what is asked of both together. `near` is our own shelf, with a public bucket."""

    def __init__(self, far: str, folder: Path) -> None:
        self._store = open_store(folder / "near.db")
        contents = {PUBLIC: {"models_manifest.json": b"[]", "a/b.txt": b"public"}}
        near = Shelf(self._store.objects, folder / "near", ManualClock(), lambda name: contents.get(name, {}))
        ours, self._storage, passing = S3(near), ExternalStorage(far, "us-east-1"), ExternalS3(far, "us-east-1")
        is_public = partial(near.public.holds, near)
        self.storage = DividedStorage(FolderStorage(near, ACCOUNT), self._storage, is_public)
        self.s3 = DividedS3(ours.answer, passing.answer, is_public)
        self._clients = (self._storage._client, passing._client)

    def close(self) -> None:
        for each in self._clients:
            each.close()
        self._store.close()


@pytest.fixture
def parted(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parted]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with serving(S3(shelf)) as far:
        made = Parted(far, tmp_path)
        yield made
        made.close()


class TestDivided(StorageContract):
    @pytest.fixture
    def storage(self, parted: Parted) -> Storage:
        parted.storage.make_bucket("data", "us-east-1")
        return parted.storage


def test_jobs_read_the_public_bucket_from_us_and_all_others_from_the_external_s3(
    parted: Parted, shelf: Shelf, tmp_path: Path
) -> None:
    storage = parted.storage
    storage.make_bucket("data", "us-east-1")
    (tmp_path / "f").write_bytes(b"private")
    storage.store(tmp_path / "f", "data", "k")
    listed = list(storage.list(PUBLIC, "a/"))
    storage.take(listed[0], str(tmp_path / "taken"), False, lambda: False)
    assert [found.key for found in listed] == ["a/b.txt"] and (tmp_path / "taken").read_bytes() == b"public"
    assert storage.head(PUBLIC, "a/b.txt").size == 6
    with pytest.raises(FileNotFoundError, match="AWS's own"):
        storage.store(tmp_path / "f", PUBLIC, "k")
    assert shelf.index.get("data", "k") is not None and shelf.index.bucket(PUBLIC) is None


def test_clients_are_answered_by_whoever_has_the_bucket(parted: Parted, shelf: Shelf) -> None:
    with serving(parted.s3) as near:
        s3 = client(near)
        s3.create_bucket(Bucket="through")
        s3.put_object(Bucket="through", Key="k", Body=b"private")
        assert s3.get_object(Bucket=PUBLIC, Key="models_manifest.json")["Body"].read() == b"[]"
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=PUBLIC, Prefix="a/")["Contents"]] == ["a/b.txt"]
        assert s3.get_object(Bucket="through", Key="k")["Body"].read() == b"private"
        assert PUBLIC not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            s3.put_object(Bucket=PUBLIC, Key="models_manifest.json", Body=b"{}")
        with pytest.raises(s3.exceptions.ClientError, match="Download the object and upload it"):
            s3.copy_object(Bucket="through", Key="b", CopySource={"Bucket": PUBLIC, "Key": "a/b.txt"})
        s3.copy_object(Bucket="through", Key="c", CopySource={"Bucket": "through", "Key": "k"})
    assert shelf.index.get("through", "c") is not None and shelf.index.get("through", "b") is None


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "s3").glob("*/*"))


def test_calls_pass_through_to_an_external_s3(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with serving(S3(shelf)) as far:
        passing = ExternalS3(far, "us-east-1")
        with serving(passing) as near:
            s3 = client(near)
            s3.head_bucket(Bucket=f"sagemaker-us-east-1-{ACCOUNT}")
            s3.create_bucket(Bucket="through")
            s3.put_object(Bucket="through", Key="k", Body=b"0123456789" * 100_000, Metadata={"a": "1"})
            got = s3.get_object(Bucket="through", Key="k", Range="bytes=1-3")
            assert got["Body"].read() == b"123" and got["Metadata"] == {"a": "1"}
            assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="through")["Contents"]] == ["k"]
            with pytest.raises(s3.exceptions.NoSuchKey):
                s3.get_object(Bucket="through", Key="absent")
            with pytest.raises(s3.exceptions.ClientError) as caught:
                s3.head_object(Bucket="through", Key="absent")
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        passing._client.close()
    assert shelf.index.get("through", "k") is not None


def test_a_program_that_spoils_its_input_does_not_reach_the_object(shelf: Shelf, tmp_path: Path) -> None:
    storage = FolderStorage(shelf, ACCOUNT)
    storage.make_bucket("data", "us-east-1")
    (tmp_path / "big").write_bytes(bytes(9 << 20))
    storage.store(tmp_path / "big", "data", "big")
    storage.fetch("data", "big", tmp_path / "got")
    (tmp_path / "got").chmod(0o644)
    with (tmp_path / "got").open("r+b") as spoiled:
        spoiled.write(b"spoiled")
    with storage.open("data", "big") as stored:
        assert stored.read(7) == bytes(7)
    (tmp_path / "big").write_bytes(b"new")
    storage.store(tmp_path / "big", "data", "big")
    assert (tmp_path / "got").stat().st_size == 9 << 20, "what a job was given does not change under it"
    assert len(files(tmp_path)) == 1


def test_a_full_disk_leaves_no_half_object(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FolderStorage(shelf, ACCOUNT)
    storage.make_bucket("data", "us-east-1")
    (tmp_path / "f").write_bytes(bytes(3 << 20))
    storage.store(tmp_path / "f", "data", "k")
    before, write = files(tmp_path), os.write

    def full(file: int, data: bytes) -> int:
        if shelf.blobs.path(before[0]).stat().st_ino != os.fstat(file).st_ino and os.fstat(file).st_size >= 1 << 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(blobs.os, "write", full)
    with pytest.raises(OSError, match="No space"):
        storage.store(tmp_path / "f", "data", "k")
    assert files(tmp_path) == before and storage.head("data", "k").size == 3 << 20


def test_a_start_finishes_what_was_committed_and_removes_the_rest(shelf: Shelf, tmp_path: Path) -> None:
    storage = FolderStorage(shelf, ACCOUNT)
    storage.make_bucket("data", "us-east-1")
    (tmp_path / "f").write_bytes(b"kept")
    storage.store(tmp_path / "f", "data", "k")
    name = files(tmp_path)[0]
    # As after kill -9 between the commit and the move; and with a body that never became an object.
    shelf.blobs.path(name).rename(tmp_path / "s3/tmp" / name)
    with storage.open("data", "k") as stream:
        assert stream.read() == b"kept", "readable in between"
    (tmp_path / "s3/tmp/half").write_bytes(b"half")
    again = FolderStorage(Shelf(shelf.index, tmp_path / "s3", ManualClock()), ACCOUNT)
    assert files(tmp_path) == [name] and not any((tmp_path / "s3/tmp").iterdir())
    with again.open("data", "k") as stream:
        assert stream.read() == b"kept"


def test_versioned_buckets_keep_what_jobs_replace(shelf: Shelf, tmp_path: Path) -> None:
    storage = FolderStorage(shelf, ACCOUNT)
    storage.make_bucket("data", "us-east-1")
    shelf.index.update_bucket("data", {}, "Enabled")
    for body in (b"one", b"two"):
        (tmp_path / "f").write_bytes(body)
        storage.store(tmp_path / "f", "data", "k")
    assert len(files(tmp_path)) == 2 == len(shelf.index.versions("data", "", None, 10))
