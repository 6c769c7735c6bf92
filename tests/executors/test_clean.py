"""`sagelet clean`: ends and removes what a server that is gone left; touches nothing of one that runs."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from emulator.executors.clean import InUse, clean
from emulator.executors.docker_engine import Engine
from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import Cluster, RunSpec
from emulator.settings import Settings
from tests.executors.docker_bench import EMPTY, SERVER, Bench, Images, until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.executors.choose.engine_in_sight", lambda environ: False)


def sagelet_clean(data_dir: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sagelet", "clean", "--data-dir", str(data_dir)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_running_server_s_folder_is_left_alone(tmp_path: Path, no_engine: None) -> None:
    (tmp_path / "work" / "job-a").mkdir(parents=True)
    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InUse, match="sagelet reset"):
            clean(tmp_path)
        told = sagelet_clean(tmp_path)
        assert told.returncode == 1 and "A Sagelet is running" in told.stderr
    assert (tmp_path / "work" / "job-a").is_dir()


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path, no_engine: None) -> None:
    assert clean(tmp_path / "never") == []
    assert not (tmp_path / "never").exists()
    assert sagelet_clean(tmp_path / "never").stdout == "Nothing was left.\n"


def test_processes_sockets_and_folders_go(tmp_path: Path, no_engine: None) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "sleeper.py").write_text("import time\ndef main():\n    print('up', flush=True); time.sleep(600)\n")
    program = {"train": "sleeper:main", "serve": "sleeper:main", "run": "", "preload": ("json",)}
    algorithm = SimpleNamespace(name="s", commands=False, bin="", prepare="", **program)
    catalog = SimpleNamespace(find=lambda image: algorithm, names=lambda: ("s",))
    house = tmp_path / ("deep" * 25)
    executor = ProcessExecutor(Settings(data_dir=house), catalog, path=(str(code),))
    specs = []
    for folder in (house / "work" / "endpoint-1", house / "work" / "job-1" / "algo-1"):
        folder.mkdir(parents=True)
        specs.append(RunSpec(folder.name, "", "s", "serve", folder, folder / "log"))
        executor.start(specs[-1])
    for spec in specs:
        until(lambda log=spec.log: log.exists() and "up" in log.read_text())  # type: ignore[misc]
    sockets = [Path(address.socket) for spec in specs if (address := executor.address(spec.run_id))]
    executor.close()
    (house / "house.db").touch()
    told = clean(house)
    assert told == [
        "Removed 2 processes: endpoint-1, algo-1.",
        "Removed 2 folders of runs: endpoint-1, job-1.",
    ]
    assert list((house / "work").iterdir()) == [] and (house / "house.db").exists()
    assert len(sockets) == 2 and not any(socket.parent.exists() for socket in sockets)


@pytest.mark.docker
def test_containers_networks_and_doors_go(tmp_path: Path, images: Images) -> None:
    bench = Bench(tmp_path / ("deep" * 25))
    first, second = (bench.spec(images.own, "import time; time.sleep(600)") for _ in range(2))
    cluster = Cluster("clean-" + first.run_id, ("algo-1", "algo-2"))
    for name, spec in zip(cluster.hosts, (first, second), strict=True):
        bench.executor.start(replace(spec, cluster=cluster, hostname=name))
    server = bench.spec(images.own, SERVER, verb="serve", network=False)
    bench.executor.start(server)
    address = bench.executor.address(server.run_id)
    bench.executor.close()
    told = sagelet_clean(bench.folder)
    assert told.returncode == 0, told.stderr
    assert "Removed 3 containers" in told.stdout and f"Removed 1 network: sagelet-{cluster.name}." in told.stdout
    assert "Removed 3 folders of runs" in told.stdout
    assert bench.containers() == [] and bench.networks() == []
    assert address is not None and not Path(address.socket).parent.exists()
    assert list((bench.folder / "work").iterdir()) == []


def test_an_engine_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    (tmp_path / "house").mkdir()
    [told] = clean(tmp_path / "house")
    assert told.startswith("Containers were not looked for: No Docker Engine answers")
    assert Engine(EMPTY.find).away()
