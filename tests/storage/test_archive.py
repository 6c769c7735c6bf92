"""Archives from strangers: what is whole is unpacked, what could do harm is refused and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.storage.archive import ArchiveRefused, Limits, extract, pack

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, goal: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, goal
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    return info, content


def tar(path: Path, *members: Member, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as out:  # type: ignore[call-overload]
        for info, content in members:
            out.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


def refused(archive: Path, target: Path, word: str, limits: Limits = Limits()) -> None:
    outside = {p.name for p in target.parent.iterdir()}
    with pytest.raises(ArchiveRefused, match=word) as refusal:
        extract(archive, target, limits)
    assert archive.name in refusal.value.reason
    assert {p.name for p in target.parent.iterdir()} == outside, "something was left behind"


@pytest.mark.parametrize("mode", ["w:gz", "w", "w:bz2", "w:xz"])
def test_unpacks_what_plain_tar_made(tmp_path: Path, mode: str) -> None:
    archive = tar(
        tmp_path / "model.tar.gz",
        member("./model/xgboost-model", b"weights" * 9999),
        member("./code/inference.py", b"import os"),
        member("./latest", kind=tarfile.SYMTYPE, goal="model/xgboost-model"),
        mode=mode,
    )
    extract(archive, tmp_path / "out")
    assert (tmp_path / "out/latest").read_bytes() == b"weights" * 9999
    assert (tmp_path / "out/code/inference.py").read_text() == "import os"


def test_round_trip_is_reproducible(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/c").write_text("one")
    (folder / "run.sh").write_text("#!/bin/sh")
    (folder / "run.sh").chmod(0o700)
    (folder / "empty").mkdir()
    assert pack(folder, tmp_path / "1.tar.gz")
    os.utime(folder / "run.sh", (1, 1))
    assert pack(folder, tmp_path / "2.tar.gz")
    assert (tmp_path / "1.tar.gz").read_bytes() == (tmp_path / "2.tar.gz").read_bytes()
    extract(tmp_path / "1.tar.gz", tmp_path / "out")
    assert (tmp_path / "out/a/b/c").read_text() == "one"
    assert os.access(tmp_path / "out/run.sh", os.X_OK) and (tmp_path / "out/empty").is_dir()


def test_an_empty_folder_makes_no_archive(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert not pack(tmp_path / "model", tmp_path / "x.tar.gz")
    assert not pack(tmp_path / "absent", tmp_path / "x.tar.gz")
    assert not (tmp_path / "x.tar.gz").exists()


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ([member("../evil")], "leaves the folder"),
        ([member("good"), member("a/../../evil")], "leaves the folder"),
        ([member("/etc/evil")], "absolute"),
        ([member("C:/evil")], "absolute"),
        ([member("l", kind=tarfile.SYMTYPE, goal="../outside")], "link that leaves"),
        ([member("l", kind=tarfile.SYMTYPE, goal="/etc/passwd")], "link that leaves"),
        ([member("l", kind=tarfile.LNKTYPE, goal="../outside")], "leaves the folder"),
        ([member("l", kind=tarfile.LNKTYPE, goal="absent")], "no file of the archive"),
        ([member("d", kind=tarfile.SYMTYPE, goal="."), member("d/x")], "link or a file"),
        ([member("a", kind=tarfile.SYMTYPE, goal="b/.."), member("b", kind=tarfile.SYMTYPE, goal=".")], "leaves"),
        ([member("f", kind=tarfile.FIFOTYPE)], "fifo"),
        ([member("dev", kind=tarfile.CHRTYPE)], "device"),
        ([member("a"), member("a/b")], "folder as well"),
        ([member("d", kind=tarfile.DIRTYPE)], "no files"),
        ([], "no files"),
    ],
)
def test_refuses_what_could_do_harm(tmp_path: Path, members: list[Member], word: str) -> None:
    (tmp_path / "outside").write_text("mine")
    refused(tar(tmp_path / "model.tar.gz", *members), tmp_path / "out", word)
    assert (tmp_path / "outside").read_text() == "mine"


def test_refuses_bombs(tmp_path: Path) -> None:
    heavy = tar(tmp_path / "bomb.tar.gz", member("zeros", bytes(4 << 20)))
    refused(heavy, tmp_path / "out", "far more than it weighs", Limits(ratio=10, ratio_from=1 << 20))
    refused(heavy, tmp_path / "out", "far more than it weighs", Limits(total=1 << 20))
    many = tar(tmp_path / "many.tar.gz", *(member(f"f{i}") for i in range(30)))
    refused(many, tmp_path / "out", "more than 20 members", Limits(members=20))
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("zeros", bytes(4 << 20))
    refused(packed, tmp_path / "out", "far more than it weighs", Limits(ratio=10, ratio_from=1 << 20))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: b"this is no archive at all" * 99,
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-6] + b"\0\0\0\0\0\0",
        lambda whole: gzip.compress(b"not a tar" * 500),
        lambda whole: gzip.compress(gzip.decompress(whole)[:700]),
    ],
    ids=["empty", "text", "truncated", "checksum", "gzip of text", "tar cut"],
)
def test_refuses_what_is_corrupt(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    archive = tar(tmp_path / "model.tar.gz", member("a", os.urandom(5000)), member("b", os.urandom(5000)))
    archive.write_bytes(spoil(archive.read_bytes()))
    refused(archive, tmp_path / "out", "empty|corrupt|no files")


def test_zip_members_stay_inside(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("pkg/train.py", "print(1)")
    extract(archive, tmp_path / "good")
    assert (tmp_path / "good/pkg/train.py").read_text() == "print(1)"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("../evil", "x")
    refused(archive, tmp_path / "out", "leaves the folder")


def test_a_refusal_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine").write_text("1")
    with pytest.raises(ArchiveRefused):
        extract(tar(tmp_path / "m.tar", member("new"), member("../evil"), mode="w"), target)
    assert [p.name for p in target.iterdir()] == ["mine"]
