"""Folders that are uploaded while a job runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulator.jobs.left import Left
from emulator.jobs.syncing import Sync
from tests.jobs.conftest import FolderStorage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept/deep").mkdir(parents=True)
    return tmp_path / "kept"


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    found = FolderStorage(tmp_path / "s3")
    found.make_bucket("b", "")
    return found


def test_a_file_is_taken_once_it_has_settled(folder: Path, storage: FolderStorage) -> None:
    sync = Sync(storage, Left(folder), "s3://b/cp", 0.0)
    (folder / "deep/x").write_text("half")
    sync.now_and_then()
    assert storage.keys("b") == []
    sync.now_and_then()
    assert storage.keys("b") == ["cp/deep/x"]
    (folder / "deep/x").write_text("a whole one")
    sync.now_and_then()
    assert storage.read("b", "cp/deep/x") == b"half"
    sync.now_and_then()
    assert storage.read("b", "cp/deep/x") == b"a whole one"


def test_what_is_there_already_is_not_stored_again(
    folder: Path, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[str] = []
    (folder / "old").write_text("from S3")
    sync = Sync(storage, Left(folder), "s3://b/cp/", 0.0)
    sync.known()
    monkeypatch.setattr(storage, "store", lambda source, bucket, key: stored.append(key))
    (folder / "new").write_text("made")
    assert sync.finish()
    assert sync.finish()
    assert stored == ["cp/new"]


def test_nothing_is_deleted_and_an_empty_folder_is_told(folder: Path, storage: FolderStorage) -> None:
    sync = Sync(storage, Left(folder), "s3://b/cp", 0.0)
    assert not sync.finish()
    (folder / "x").write_text("x")
    sync.finish()
    (folder / "x").unlink()
    sync.finish()
    assert storage.keys("b") == ["cp/x"]


def test_a_full_disk_is_tried_again_and_told_in_the_end(folder: Path, storage: FolderStorage) -> None:
    sync = Sync(storage, Left(folder), "s3://b/cp", 0.0)
    (folder / "x").write_text("x")
    storage.full = True
    sync.now_and_then()
    sync.now_and_then()
    with pytest.raises(OSError, match="No space left"):
        sync.finish()
    storage.full = False
    sync.now_and_then()
    assert storage.keys("b") == ["cp/x"]


def test_a_job_keeps_tensorboard_and_tensors_in_step(mini: Any) -> None:
    def script(program: Any) -> None:
        board = next(mount.outside for mount in program.spec.mounts if mount.inside == "/tb")
        (board / "events.1").write_text("curve")
        (program.ml / "output/tensors/index").write_text("tensors")
        program.end()

    mini.executor.script = script
    mini.submit(
        TensorBoardOutputConfig={"LocalPath": "/tb", "S3OutputPath": "s3://b/board"},
        DebugHookConfig={"S3OutputPath": "s3://b/debug"},
    )
    assert mini.finish()["TrainingJobStatus"] == "Completed"
    assert mini.storage.keys("b", "board") == ["board/job/tensorboard-output/events.1"]
    assert mini.storage.keys("b", "debug") == ["debug/job/debug-output/index"]
