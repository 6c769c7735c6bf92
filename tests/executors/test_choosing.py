"""Which executor runs what: the four rules of `auto`, a forced one, and the words of a refusal."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.executors import Executors, NoExecutor, choose
from emulator.ports import LocalImage, RunSpec
from emulator.settings import Settings

KNOWN = "1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


class Catalog:
    def find(self, image: str, /) -> Any:
        if "xgboost" not in image:
            return None
        more = {"run": "", "prepare": "", "commands": "commands" in image, "bin": ""}
        return SimpleNamespace(name="xgboost", train="m:f", serve="m:f", preload=(), **more)

    def names(self) -> tuple[str, ...]:
        return ("kmeans", "xgboost")


class Docker:
    name = "docker"

    def __init__(
        self, images: tuple[str, ...] = (), own: str = "", up: bool = True, runs: tuple[str, ...] = ()
    ) -> None:
        self.held, self.own, self.up, self.runs = images, own, up, runs
        self.closed = 0
        self.may_pull = False

    def pulls(self) -> bool:
        return self.may_pull

    def gpus(self) -> int:
        return 2

    def images(self, repository: str) -> list[LocalImage]:
        return [LocalImage(("1",), "sha256:0", 1, 0.0)] if repository == "mine" else []

    def available(self) -> bool:
        return self.up

    def has_image(self, image: str) -> bool:
        return image in self.held

    def own_image(self, image: str) -> str:
        return self.own if "xgboost" in image else ""

    def refusal(self, spec: RunSpec) -> str:
        return "" if spec.image in self.held else f"{spec.image} is not here."

    def adopt(self, spec: RunSpec) -> bool:
        return spec.run_id in self.runs

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "engine_in_sight", lambda environ: False)


def spec(image: str, tmp_path: Path, **members: Any) -> RunSpec:
    return RunSpec("r", "arn", image, "train", tmp_path / "r", tmp_path / "log", **members)


def executors(tmp_path: Path, executor: str = "auto", **made: Any) -> Executors:
    return Executors(Settings(data_dir=tmp_path, executor=executor), Catalog(), made=made)


def test_that_very_image_in_the_engine_comes_first(tmp_path: Path) -> None:
    docker = Docker(images=(KNOWN, "mine:1"))
    for image in (KNOWN, "mine:1"):
        assert executors(tmp_path, docker=docker).choose(spec(image, tmp_path)) is docker


def test_our_own_image_of_the_family_comes_second(tmp_path: Path) -> None:
    docker = Docker(images=("x",), own="sagelet/xgboost:1")
    docker.refusal = lambda spec: ""  # type: ignore[method-assign]
    assert executors(tmp_path, docker=docker).choose(spec(KNOWN, tmp_path)) is docker


def test_a_remote_function_is_a_process_unless_the_very_image_is_there(tmp_path: Path) -> None:
    """Our own image of the family lacks the packages of the Python that the function was called from."""
    docker = Docker(own="sagelet/xgboost")
    made = executors(tmp_path, docker=docker)
    run = spec(KNOWN, tmp_path, environment={"SAGELET_REMOTE_PYTHON": "/usr/bin/python3"}, entrypoint=("bash",))
    assert made._automatic(run).name == "process"
    docker.held = (KNOWN,)
    assert made._automatic(run) is docker


@pytest.mark.parametrize("docker", [{}, {"docker": Docker()}, {"docker": Docker(images=(KNOWN,), up=False)}])
def test_a_known_image_is_a_process_otherwise(tmp_path: Path, no_engine: None, docker: dict[str, Any]) -> None:
    house = executors(tmp_path, **docker)
    assert house.choose(spec(KNOWN, tmp_path)).name == "process"
    house.close()


@pytest.mark.parametrize("docker", [{}, {"docker": Docker()}])
def test_anything_else_is_refused_with_both_remedies(tmp_path: Path, no_engine: None, docker: dict[str, Any]) -> None:
    with pytest.raises(NoExecutor) as refusal:
        executors(tmp_path, **docker).choose(spec("acme/train:3", tmp_path))
    for word in ("acme/train:3", "docker pull acme/train:3", "kmeans, xgboost"):
        assert word in refusal.value.reason


def test_what_nothing_here_runs_is_pulled_where_that_is_allowed(tmp_path: Path) -> None:
    docker = Docker()
    docker.may_pull = True
    docker.refusal = lambda spec: ""  # type: ignore[method-assign]
    house = executors(tmp_path, docker=docker)
    assert house.choose(spec("acme/train:3", tmp_path)) is docker
    assert house.choose(spec(KNOWN, tmp_path)).name == "process", "what we have ourselves needs no registry"
    house.close()


def test_the_local_engine_s_images_and_devices_are_known_where_there_is_one(tmp_path: Path, no_engine: None) -> None:
    house = executors(tmp_path, docker=Docker())
    assert [image.tags for image in house.local_images("mine")] == [("1",)] and house.gpus() == 2
    without = executors(tmp_path)
    assert list(without.local_images("mine")) == [] and without.gpus() == 0


def test_a_forced_executor_is_asked_alone(tmp_path: Path) -> None:
    docker = Docker(images=(KNOWN,))
    process = executors(tmp_path, "process", docker=docker)
    assert process.choose(spec(KNOWN, tmp_path)).name == "process"
    with pytest.raises(NoExecutor, match="no implementation of the image acme"):
        process.choose(spec("acme", tmp_path))
    assert executors(tmp_path, "stub", docker=docker).choose(spec("acme", tmp_path)).name == "stub"
    with pytest.raises(NoExecutor, match="acme is not here"):
        executors(tmp_path, "docker", docker=docker).choose(spec("acme", tmp_path))


def test_a_command_of_the_callers_is_a_process_where_the_family_takes_commands(tmp_path: Path, no_engine: None) -> None:
    house = executors(tmp_path)
    command = ("python", "job.py")
    assert house.choose(spec("xgboost-commands", tmp_path, entrypoint=command)).name == "process"
    with pytest.raises(NoExecutor, match=r"python job\.py.*docker executor"):
        house.choose(spec(KNOWN, tmp_path, entrypoint=command))
    with pytest.raises(NoExecutor, match="docker pull acme"):
        house.choose(spec("acme", tmp_path, entrypoint=command))
    house.close()


def test_all_hosts_of_a_job_go_where_the_first_goes(tmp_path: Path, no_engine: None) -> None:
    docker = Docker()
    house = executors(tmp_path, docker=docker)
    hosts = [replace(spec(KNOWN, tmp_path), run_id=f"job-1-algo-{n}", hostname=f"algo-{n}") for n in (1, 2)]
    chosen = house.choose(*hosts)
    docker.images = (KNOWN,)  # Built meanwhile.
    assert chosen.name == "process" and house.by_name(chosen.name) is chosen
    with pytest.raises(NoExecutor, match="entry point"):
        executors(tmp_path).choose(hosts[0], replace(hosts[1], entrypoint=("x",)))
    house.close()


def test_the_executor_that_still_has_the_run_adopts_it(tmp_path: Path, no_engine: None) -> None:
    docker = Docker(runs=("r",))
    assert executors(tmp_path, docker=docker).adopt(spec("any", tmp_path)) is docker
    assert executors(tmp_path).adopt(spec("any", tmp_path)) is None


def test_close_closes_what_was_used_once(tmp_path: Path) -> None:
    docker = Docker()
    house = executors(tmp_path, docker=docker)
    house.close()
    house.close()
    assert docker.closed == 1


def test_an_engine_is_looked_for_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose.engine_in_sight({"DOCKER_HOST": "tcp://127.0.0.1:1"})
    runtime = tmp_path / "run"
    runtime.mkdir()
    (runtime / "docker.sock").touch()
    nothing = {"XDG_RUNTIME_DIR": str(runtime), "HOME": str(tmp_path)}
    if not Path("/var/run/docker.sock").is_socket():
        assert not choose.engine_in_sight(nothing)
    (runtime / "docker.sock").unlink()
    with socket.socket(socket.AF_UNIX) as engine:
        monkeypatch.chdir(runtime)
        engine.bind("docker.sock")
        assert choose.engine_in_sight(nothing)


def test_the_room_is_imported_without_anything_heavy() -> None:
    code = (
        "import sys, emulator.executors; "
        "print([m for m in ('docker', 'numpy', 'http.server', 'http.client', 'ctypes') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_containers_are_given_the_doors_of_the_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def containers(settings: Any, catalog: Any, gateways: Any = None) -> Any:
        return SimpleNamespace(doors=gateways(), close=lambda: None)

    monkeypatch.setitem(sys.modules, "own_containers", SimpleNamespace(make=containers))  # type: ignore[arg-type]
    monkeypatch.setattr(choose, "TABLE", (("docker", "own_containers:make"),))
    doors: Any = object()
    made: Any = Executors(Settings(data_dir=tmp_path), Catalog(), gateways=lambda: doors).by_name("docker")
    assert made.doors is doors
