"""Whose the files are afterwards, and logs larger than the engine keeps: with real containers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.executors import docker_launch, docker_plan
from emulator.executors.docker_logs import LogWriter
from emulator.executors.docker_plan import Owner
from emulator.ports import Exit, ExitReason, Mount, RunSpec
from tests.executors.docker_bench import Bench, Images, lines

pytestmark = pytest.mark.docker

WRITE = """
import os, socket
for folder in ("/opt/ml", "/opt/other"):
    os.makedirs(folder + "/made/deep"); open(folder + "/made/deep/file", "w").close()
    os.mkfifo(folder + "/pipe"); os.chmod(folder + "/made", 0o000)
    with socket.socket(socket.AF_UNIX) as door: door.bind(folder + "/socket")
    os.symlink("/nowhere/at/all", folder + "/dangling")
try:
    open("/opt/ml/input/data/train/new", "w"); print("written")
except OSError: print("refused")
print(open("/opt/ml/input/data/train/given").read(), open("/opt/ml/input/config/file").read())
"""


@pytest.mark.parametrize("whose", ["own", "stranger"])
def test_every_kind_of_file_in_every_mount_is_given_back(tmp_path: Path, images: Images, whose: str) -> None:
    uid, gid = (1000, 1000) if os.getuid() == 0 else (os.getuid(), os.getgid())
    bench = Bench(tmp_path / "house", Owner(uid, gid))
    other, data = tmp_path / "other", tmp_path / "data"
    for folder in (other, data):
        folder.mkdir()
    (data / "given").write_text("input")
    os.mkfifo(data / "epoch_0")
    (tmp_path / "config").write_text("file")
    os.chown(other, uid, gid)
    spec = bench.spec(getattr(images, whose), WRITE)
    mounts = (
        *spec.mounts,
        Mount(other, "/opt/other"),
        Mount(data, "/opt/ml/input/data/train", read_only=True),
        Mount(tmp_path / "config", "/opt/ml/input/config/file", read_only=True),
    )
    spec = RunSpec(**{**vars(spec), "mounts": mounts})
    own_before = data.stat().st_uid
    try:
        assert bench.run(spec) == Exit(ExitReason.EXITED, 0), spec.log.read_text()
        assert lines(spec) == ["refused", "input file"]
        for folder in (spec.folder / "ml", other):
            made = [folder / name for name in ("made", "made/deep", "made/deep/file", "pipe", "socket", "dangling")]
            assert {(path.lstat().st_uid, path.lstat().st_gid) for path in made} == {(uid, gid)}
        points = [spec.folder / "ml" / name for name in ("input", "input/data/train", "input/config/file")]
        assert {path.stat().st_uid for path in points} <= {uid, os.getuid()}
        assert {path.stat().st_uid for path in (data, data / "given")} == {own_before}
    finally:
        bench.end()


def test_a_log_that_the_engine_begins_anew_is_whole(
    bench: Bench, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's own follower passes a file over that is begun and ended while it waits on a busy machine: so the log
    is begun anew twice, seconds apart."""
    monkeypatch.setattr(docker_plan, "LOG_SIZE", "2m")
    monkeypatch.setattr(docker_plan, "LOG_FILES", "10")
    monkeypatch.setattr(docker_launch, "LogWriter", lambda log, cursor: LogWriter(log, cursor, watchful=0))
    code = """
    import time
    for n in range(40000):
        print(f"{n:08d}", "x" * 60)
        if n % 200 == 0: time.sleep(0.04)
    """
    spec = bench.spec(images.own, code)
    assert bench.run(spec) == Exit(ExitReason.EXITED, 0)
    assert [int(line.split()[0]) for line in lines(spec)] == list(range(40000))
