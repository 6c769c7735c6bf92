"""What a program puts in the place of its folders and files leads nowhere else, and holds nobody up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.jobs import outputs
from emulator.jobs.left import Left
from tests.jobs.conftest import FolderStorage


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere/data").mkdir(parents=True)
    (tmp_path / "elsewhere/secret").write_text("secret")
    (tmp_path / "elsewhere/data/secret").write_text("secret")
    return tmp_path / "elsewhere"


@pytest.fixture
def ml(tmp_path: Path) -> Path:
    (tmp_path / "host/ml/output").mkdir(parents=True)
    return tmp_path / "host/ml"


def in_place_of_the_folder(ml: Path, elsewhere: Path) -> None:
    (ml / "output/data").symlink_to(elsewhere)


def in_place_of_its_parent(ml: Path, elsewhere: Path) -> None:
    (ml / "output").rmdir()
    (ml / "output").symlink_to(elsewhere)


def in_the_folder(ml: Path, elsewhere: Path) -> None:
    (ml / "output/data").mkdir()
    (ml / "output/data/secret").symlink_to(elsewhere / "secret")
    (ml / "output/data/deep").symlink_to(elsewhere)


@pytest.mark.parametrize("spoil", [in_place_of_the_folder, in_place_of_its_parent, in_the_folder])
def test_links_are_not_followed(ml: Path, elsewhere: Path, tmp_path: Path, spoil: Callable[[Path, Path], None]) -> None:
    spoil(ml, elsewhere)
    storage = FolderStorage(tmp_path / "s3")
    storage.make_bucket("b", "")
    left = Left(ml, "output/data")
    assert list(left.files()) == []
    assert not outputs.save_tree(storage, left, "s3://b/out")
    assert left.beginning("secret", 100) == b""
    if spoil is not in_the_folder:
        assert left.folder() is None
        assert not outputs.save_archive(storage, outputs.merged([left], tmp_path / "merged"), "s3://b/out.tar.gz")
    with pytest.raises(OSError, match=r"secret|Not a directory|Too many levels"):
        left.store(storage, "secret", "b", "secret")
    assert storage.keys("b") == []


def test_a_pipe_has_no_beginning_and_is_no_file(ml: Path) -> None:
    os.mkfifo(ml / "output/failure")
    assert Left(ml, "output").beginning("failure", 100) == b""
    assert list(Left(ml, "output").files()) == []


def test_files_are_told_in_order_and_stored_as_they_are(ml: Path, tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "s3")
    storage.make_bucket("b", "")
    for name in ("b/2", "b/1", "a"):
        (ml / "output" / name).parent.mkdir(exist_ok=True)
        (ml / "output" / name).write_text(name)
    left = Left(ml, "output")
    assert [name for name, _ in left.files()] == ["a", "b/1", "b/2"]
    assert outputs.save_tree(storage, left, "s3://b/out/")
    assert storage.read("b", "out/b/2") == b"b/2"


def test_an_archive_is_not_packed_through_a_link_that_waits_for_it(ml: Path, elsewhere: Path, tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "s3")
    storage.make_bucket("b", "")
    (ml / "model").mkdir()
    (ml / "model/a").write_text("a")
    for name in (".model.tar.gz", ".model.tar.gz.half", "model.tar.gz", "model.tar.gz.half"):
        (ml / name).symlink_to(elsewhere / "secret")
    assert outputs.save_archive(storage, Left(ml, "model"), "s3://b/model.tar.gz")
    assert (elsewhere / "secret").read_text() == "secret"


def test_a_checkpoint_folder_that_became_a_link_is_not_uploaded(mini: Any, elsewhere: Path) -> None:
    def script(program: Any) -> None:
        (program.ml / "checkpoints").rmdir()
        (program.ml / "checkpoints").symlink_to(elsewhere)
        program.end()

    mini.executor.script = script
    mini.submit(CheckpointConfig={"S3Uri": "s3://b/cp"})
    assert mini.finish()["TrainingJobStatus"] == "Completed"
    assert mini.storage.keys("b", "cp") == []
