"""What the engine is told, and what its refusals become; no engine needed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from emulator.executors.docker import DockerExecutor
from emulator.executors.docker_engine import ChosenImage, Engine, start_failure
from emulator.executors.docker_plan import Owner, Plan, door_folder, main_container, sweep_container
from emulator.executors.docker_watch import signal_or_code
from emulator.ports import ExitReason, Mount, RunSpec
from emulator.settings import Settings

OWN = ChosenImage("sagelet/xgboost", own=True)
STRANGER = ChosenImage("mine:1", own=False)
US = Owner(1000, 1000)
DATA = "/home/me/.sagelet"


def spec(tmp_path: Path, **changes: object) -> RunSpec:
    values: dict[str, object] = {
        "run_id": "r1", "arn": "arn:aws:x", "image": "mine:1", "verb": "train",
        "folder": tmp_path, "log": tmp_path / "log", "mounts": (Mount(tmp_path, "/opt/ml"),),
    }  # fmt: skip
    return RunSpec(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("image", [OWN, STRANGER])
def test_every_container_is_confined(tmp_path: Path, image: ChosenImage) -> None:
    told = main_container(Plan(spec(tmp_path), image, US, DATA))
    assert told["cap_drop"] == ["ALL"] and told["security_opt"] == ["no-new-privileges"] and told["pids_limit"] > 0
    assert "privileged" not in told and not told["use_config_proxy"]
    assert not any("docker.sock" in mount["Source"] for mount in told["mounts"])
    assert not {"SYS_ADMIN", "NET_RAW", "NET_ADMIN", "MKNOD"} & set(told["cap_add"])


def test_our_images_run_as_us_and_strangers_as_they_were_made(tmp_path: Path) -> None:
    ours = main_container(Plan(spec(tmp_path), OWN, US, DATA))
    assert ours["user"] == "1000:1000" and ours["cap_add"] == []
    theirs = Plan(spec(tmp_path), STRANGER, US, DATA)
    assert "user" not in main_container(theirs) and theirs.swept
    swept = sweep_container(theirs, "any")
    assert (swept["entrypoint"][-1], swept["command"]) == ("1000:1000", ["/opt/ml"])
    assert not Plan(spec(tmp_path), STRANGER, Owner(0, 0), DATA).swept


def test_a_rootless_engine_s_root_is_us(tmp_path: Path) -> None:
    plan = Plan(spec(tmp_path), STRANGER, Owner(1000, 1000, rootless=True), DATA)
    assert sweep_container(plan, "any")["entrypoint"][-1] == "0:0"
    assert "user" not in main_container(Plan(spec(tmp_path), OWN, plan.owner, DATA))


@pytest.mark.parametrize(
    "changes, entrypoint, command",
    [
        ({}, None, ["train"]),
        ({"verb": "serve"}, None, ["serve"]),
        ({"arguments": ("--x", "1")}, None, ["--x", "1"]),
        ({"entrypoint": ("python3", "a.py")}, ["python3", "a.py"], []),
        ({"entrypoint": ("python3",), "arguments": ("a.py",)}, ["python3"], ["a.py"]),
    ],
)
def test_the_argument_is_the_verb_unless_something_else_is_said(
    tmp_path: Path, changes: dict[str, object], entrypoint: list[str] | None, command: list[str]
) -> None:
    told = main_container(Plan(spec(tmp_path, **changes), STRANGER, US, DATA))
    assert told.get("entrypoint") == entrypoint and told["command"] == command


def test_a_server_is_published_on_loopback_and_never_without_a_network(tmp_path: Path) -> None:
    server = spec(tmp_path, verb="serve")
    assert main_container(Plan(server, OWN, US, DATA))["ports"] == {"8080/tcp": ("127.0.0.1", None)}
    alone = spec(tmp_path, verb="serve", network=False)
    told = main_container(Plan(alone, OWN, US, DATA, door_folder(alone)))
    assert told["network_mode"] == "none" and "ports" not in told
    assert told["environment"]["SAGEMAKER_BIND_TO_SOCKET"].startswith("/run/sagelet/")
    assert Plan(alone, STRANGER, US, DATA).relayed


def test_a_socket_never_gets_a_name_that_is_too_long(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    folder = door_folder(spec(tmp_path, folder=deep))
    try:
        assert len(str(folder)) < 90 and folder.is_dir()
    finally:
        folder.rmdir()


@pytest.mark.parametrize(
    "words, expected",
    [
        ('runc: exec: "train": executable file not found in $PATH: unknown', "no program train on its PATH"),
        ('exec: "/etc/x": permission denied: unknown', "/etc/x is not executable"),
        ("exec /e/x: exec format error", "/e/x is not a program for this machine"),
        ('invalid mount config for type "bind": bind source path does not exist: /d', "does not see the folder /d"),
        ("port is already allocated", "could not start the container: port is already allocated"),
    ],
)
def test_the_engine_s_words_become_sentences(words: str, expected: str) -> None:
    assert expected in start_failure(words)


def test_codes_above_128_are_signals() -> None:
    assert [signal_or_code(code) for code in (0, 1, 137, 143, 255)] == [0, 1, -9, -15, 255]


def test_no_engine_is_a_sentence_with_the_remedy(tmp_path: Path) -> None:
    engine = Engine(lambda image: None, {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    executor = DockerExecutor(Settings(data_dir=tmp_path), SimpleNamespace(find=lambda image: None), engine)
    run = spec(tmp_path)
    assert not executor.available() and not executor.has_image("x") and executor.own_image("x") == ""
    assert "No Docker Engine answers" in executor.refusal(run) and "DOCKER_HOST" in executor.refusal(run)
    assert not executor.adopt(run)
    executor.start(run)
    over = executor.wait(run.run_id, 5)
    assert over is not None and over.reason is ExitReason.NOT_STARTED and "DOCKER_HOST" in over.detail
    executor.release(run.run_id)
    executor.close()
