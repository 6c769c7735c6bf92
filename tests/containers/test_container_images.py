"""The images that `make images` built, for real: XGBoost trains and serves, the server's own image is healthy."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from algorithms import catalog
from emulator.executors.docker import DockerExecutor
from emulator.executors.docker_engine import Engine
from emulator.ports import Exit, ExitReason, Mount, RunSpec
from emulator.settings import Settings

pytestmark = pytest.mark.docker
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SERVER = "sagelet/server"


def need(image: str) -> Engine:
    engine = Engine(catalog.find)
    reason = engine.away() or ("" if engine.image(image) else f"{image} is not built: make images, containers/build.sh")
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return engine


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[DockerExecutor]:
    need("sagelet/xgboost").forget()
    made = DockerExecutor(Settings(data_dir=tmp_path), catalog)
    yield made
    for run_id in list(made._runs):
        made.release(run_id)
    made.close()


def spec(folder: Path, verb: str, network: bool = True) -> RunSpec:
    run_id = uuid.uuid4().hex[:12]
    return RunSpec(
        run_id=run_id, arn="arn:aws:x", image=XGBOOST, verb=verb, folder=folder / run_id, log=folder / f"{run_id}.log",
        environment={"SAGELET_IMAGE": XGBOOST}, mounts=(Mount(folder / "ml", "/opt/ml"),), network=network,
    )  # fmt: skip


def write_job(folder: Path) -> None:
    config = folder / "ml" / "input" / "config"
    channel = folder / "ml" / "input" / "data" / "train"
    for needed in (config, channel, folder / "ml" / "model", folder / "ml" / "output"):
        needed.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"num_round": "5", "objective": "reg:squarederror"}))
    told = {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    (config / "inputdataconfig.json").write_text(json.dumps({"train": told}))
    hosts = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
    (config / "resourceconfig.json").write_text(json.dumps(hosts))
    rows = (f"{2 * n + 1},{n},{n % 3}" for n in range(64))
    (channel / "train.csv").write_text("\n".join(rows) + "\n")


def ask(address: Any, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    with socket.socket(socket.AF_UNIX if address.socket else socket.AF_INET) as line:
        line.settimeout(10)
        line.connect(address.socket or (address.host, address.port))
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {len(body)}\r\n"
        line.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        answer = b""
        while chunk := line.recv(4096):
            answer += chunk
    head_bytes, _, rest = answer.partition(b"\r\n\r\n")
    return int(head_bytes.split()[1]) if head_bytes else 0, rest


@pytest.mark.parametrize("network", [True, False])
def test_xgboost_trains_and_serves_in_our_image(tmp_path: Path, executor: DockerExecutor, network: bool) -> None:
    write_job(tmp_path)
    assert executor.own_image(XGBOOST) == "sagelet/xgboost" and not executor.has_image(XGBOOST)
    job = spec(tmp_path, "train", network)
    executor.start(job)
    over = executor.wait(job.run_id, 120)
    assert over == Exit(ExitReason.EXITED, 0), job.log.read_text()
    assert "train-rmse" in job.log.read_text()
    assert any((tmp_path / "ml" / "model").iterdir())

    server = spec(tmp_path, "serve", network)
    executor.start(server)
    address = executor.address(server.run_id)
    assert address is not None and bool(address.socket) is not network
    assert ready(address), server.log.read_text()
    low, high = (ask(address, "POST", "/invocations", row) for row in (b"3,0\n", b"60,0\n"))
    assert low[0] == high[0] == 200 and 0 < float(low[1]) < 30 < float(high[1]) < 200
    executor.stop(server.run_id, 20)
    over = executor.wait(server.run_id, 40)
    assert over is not None and over.reason is ExitReason.STOPPED and over.code == 0, over
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {os.getuid()}


def ready(address: Any) -> bool:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            if ask(address, "GET", "/ping")[0] == 200:
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def test_the_server_s_own_image_answers_and_keeps_its_state() -> None:
    engine = need(SERVER)
    volume = engine.client().volumes.create(f"sagelet-test-{uuid.uuid4().hex[:8]}")
    told: dict[str, Any] = {
        "detach": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "init": True,
        "ports": {"4577/tcp": ("127.0.0.1", None)}, "volumes": {volume.name: {"bind": "/data", "mode": "rw"}},
    }  # fmt: skip
    try:
        for command in ("touch /data/kept", "test -f /data/kept"):
            container = engine.client().containers.run(SERVER, **told)
            try:
                assert healthy(container), container.logs().decode()
                assert container.exec_run(command).exit_code == 0
                began = time.monotonic()
                container.stop(timeout=40)
                container.reload()
                assert container.attrs["State"]["ExitCode"] == 0 and time.monotonic() - began < 30
            finally:
                container.remove(force=True, v=True)
    finally:
        volume.remove(force=True)
        engine.forget()


def healthy(container: Any) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if container.exec_run(["sagelet", "status"]).exit_code == 0:
            return True
        time.sleep(0.5)
    return False
