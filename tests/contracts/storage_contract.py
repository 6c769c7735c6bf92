"""What every storage must do. An adapter's test class inherits this and gives `storage` with a bucket `data`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.ports import ObjectInfo, Storage


class StorageContract:
    """Obligations of `ports.Storage`."""

    def test_what_is_stored_can_be_found_and_read(self, storage: Storage, tmp_path: Path) -> None:
        body = os.urandom(3 * 1024 * 1024 + 1)
        (tmp_path / "model.tar.gz").write_bytes(body)
        storage.store(tmp_path / "model.tar.gz", "data", "out/job 1/model.tar.gz")
        head = storage.head("data", "out/job 1/model.tar.gz")
        assert (head.bucket, head.key, head.size) == ("data", "out/job 1/model.tar.gz", len(body))
        assert '"' not in head.etag and head.etag
        with storage.open("data", "out/job 1/model.tar.gz") as stream:
            pieces = [stream.read(1000), stream.read(1), stream.read()]
        assert b"".join(pieces) == body and len(pieces[0]) == 1000
        storage.fetch("data", "out/job 1/model.tar.gz", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == body
        assert not (tmp_path / "back").stat().st_mode & 0o222, "read-only"

    def test_a_link_shows_the_object_as_it_is_now(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"first")
        storage.store(tmp_path / "f", "data", "linked")
        storage.link("data", "linked", tmp_path / "seen")
        (tmp_path / "f").write_bytes(b"second")
        storage.store(tmp_path / "f", "data", "linked")
        assert (tmp_path / "seen").read_bytes() == b"first"
        with pytest.raises(FileNotFoundError):
            storage.link("data", "never", tmp_path / "nothing")

    def test_storing_replaces(self, storage: Storage, tmp_path: Path) -> None:
        for body in (b"one", b"two!"):
            (tmp_path / "f").write_bytes(body)
            storage.store(tmp_path / "f", "data", "same")
        storage.fetch("data", "same", tmp_path / "got")
        assert (tmp_path / "got").read_bytes() == b"two!" and storage.head("data", "same").size == 4

    def test_fetching_replaces_the_target(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"new")
        storage.store(tmp_path / "f", "data", "k")
        (tmp_path / "target").write_bytes(b"what was there")
        storage.fetch("data", "k", tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == b"new"

    @pytest.mark.parametrize("linked", [False, True])
    def test_what_was_listed_is_taken_once(self, storage: Storage, tmp_path: Path, linked: bool) -> None:
        bodies = {"take/a": b"", "take/b": b"small", "take/c": os.urandom(3 * 1024 * 1024 + 1)}
        for key, body in bodies.items():
            (tmp_path / "f").write_bytes(body)
            storage.store(tmp_path / "f", "data", key)
        for found in list(storage.list("data", "take/")):
            target = tmp_path / found.key.rpartition("/")[2]
            storage.take(found, str(target), linked, lambda: False)
            assert target.read_bytes() == bodies[found.key] and not target.stat().st_mode & 0o222
            with pytest.raises(FileExistsError):
                storage.take(found, str(target), linked, lambda: False)
            assert target.read_bytes() == bodies[found.key], "what is in the way stays"

    def test_what_was_replaced_since_it_was_listed_is_taken_as_it_is(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"one")
        storage.store(tmp_path / "f", "data", "listed")
        found = next(iter(storage.list("data", "listed")))
        (tmp_path / "f").write_bytes(b"two!")
        storage.store(tmp_path / "f", "data", "listed")
        storage.take(found, str(tmp_path / "got"), False, lambda: False)
        assert (tmp_path / "got").read_bytes() == b"two!"

    def test_taking_may_be_given_up_and_leaves_nothing(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(bytes(3 * 1024 * 1024))
        storage.store(tmp_path / "f", "data", "large")
        found = next(iter(storage.list("data", "large")))
        with pytest.raises(InterruptedError):
            storage.take(found, str(tmp_path / "got"), False, lambda: True)
        with pytest.raises(FileNotFoundError, match="s3://data/absent"):
            storage.take(ObjectInfo("data", "absent", -1, ""), str(tmp_path / "got"), False, lambda: False)
        assert not (tmp_path / "got").exists()

    def test_an_empty_object(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        storage.store(tmp_path / "empty", "data", "empty")
        storage.fetch("data", "empty", tmp_path / "got")
        assert (tmp_path / "got").read_bytes() == b"" and storage.head("data", "empty").size == 0

    def test_lists_are_complete_and_in_order(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"x")
        keys = ["list/b", "list/a/2", "list/ä", "list/a", "listing", "list/+ %"]
        for key in keys:
            storage.store(tmp_path / "f", "data", key)
        found = [entry.key for entry in storage.list("data", "list/")]
        assert found == sorted((key for key in keys if key.startswith("list/")), key=str.encode)
        assert [entry.size for entry in storage.list("data", "listing")] == [1]
        assert list(storage.list("data", "none")) == []

    def test_what_is_absent_is_named(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"x")
        with pytest.raises(FileNotFoundError, match="s3://data/absent"):
            storage.head("data", "absent")
        with pytest.raises(FileNotFoundError, match="s3://data/absent"):
            storage.open("data", "absent")
        with pytest.raises(FileNotFoundError, match="s3://data/absent"):
            storage.fetch("data", "absent", tmp_path / "got")
        assert not (tmp_path / "got").exists()
        with pytest.raises(FileNotFoundError, match="s3://no-bucket"):
            list(storage.list("no-bucket", ""))
        with pytest.raises(FileNotFoundError, match="s3://no-bucket"):
            storage.store(tmp_path / "f", "no-bucket", "k")

    def test_making_a_bucket_twice_is_no_fault(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"x")
        for _ in range(2):
            storage.make_bucket("made-here", "eu-west-1")
        storage.store(tmp_path / "f", "made-here", "k")
        storage.make_bucket("made-here", "us-east-1")
        assert [entry.key for entry in storage.list("made-here", "")] == ["k"]
