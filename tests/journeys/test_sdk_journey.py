"""The classes of the SageMaker Python SDK 2.x against a real server: with processes, with containers, and with both.

SAGELET_SDK_PYTHON names the Python that has `sagemaker`; it must not be ours, whose libraries the SDK would change."""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from algorithms import catalog
from emulator.executors.docker_engine import Engine
from sagelet.server import Server

PYTHON = os.environ.get("SAGELET_SDK_PYTHON", "")
PROGRAM = Path(__file__).parent / "sdk_program.py"
TREE = ast.parse(PROGRAM.read_text())
FLOWS = [
    name.id
    for node in TREE.body
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FLOWS"
    for name in node.value.elts
]
OWN = "sagelet-test-sdk:1"
TRAIN = """#!/usr/bin/env python3
import json, os
told = json.load(open("/opt/ml/input/config/hyperparameters.json"))
print(told["word"], os.listdir("/opt/ml/input/data/train"))
open("/opt/ml/model/word", "w").write(told["word"])
"""
SERVE = """#!/usr/bin/env python3
from http.server import BaseHTTPRequestHandler, HTTPServer
word = open("/opt/ml/model/word", "rb").read()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        self.answer(word + b" " + self.rfile.read(int(self.headers["Content-Length"])))
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("", 8080), Handler).serve_forever()
"""

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="SAGELET_SDK_PYTHON names no Python that has sagemaker 2.x"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def own_image() -> Iterator[str]:
    """An image as users build it: `train` and `serve` on the path, over one that has Python."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        recipe = "FROM sagelet/server\nUSER root\nENTRYPOINT []\nCOPY train serve /usr/local/bin/\n"
        for name, text in (("Dockerfile", recipe), ("train", TRAIN), ("serve", SERVE)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    packed.seek(0)
    engine = docker.from_env()
    engine.images.build(fileobj=packed, custom_context=True, tag=OWN, rm=True)
    yield OWN
    engine.images.remove(OWN, force=True)
    engine.close()


def missing(executor: str) -> str:
    """Why this executor has nothing to run here, or nothing."""
    if executor == "process":
        return ""
    engine = Engine(catalog.find)
    reason = engine.away()
    for image in ("sagelet/server", "sagelet/frameworks", "sagelet/pytorch"):
        reason = reason or ("" if engine.image(image) else f"{image} is not built: make images, containers/build.sh")
    engine.forget()
    return reason


@pytest.fixture(
    scope="module", params=["process", *(pytest.param(one, marks=pytest.mark.docker) for one in ("auto", "docker"))]
)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the program says of each flow."""
    executor = request.param
    if reason := missing(executor):
        pytest.skip(reason)
    image = "" if executor == "process" else request.getfixturevalue("own_image")
    folder = tmp_path_factory.mktemp(executor)
    flows = [flow for flow in FLOWS if possible(flow, executor)]
    with Server(folder / "data", ["--executor", executor]) as server:
        env = {**os.environ, **server.env, "HOME": str(folder), "SDK_OWN_IMAGE": image}
        command = [PYTHON, "-W", "ignore", str(PROGRAM), *flows]
        with (folder / "said").open("wb") as said:
            subprocess.run(command, env=env, cwd=folder, stdout=said, stderr=said, timeout=800, check=False)
    lines = (folder / "said").read_text(errors="replace").splitlines()
    outside = sorted({line for line in lines if line.startswith("outside ")})
    assert not outside, f"an activated program leaves the machine: {outside}"
    verdicts = [line.split(" ", 2) for line in lines if line.startswith(("ok ", "FAILED "))]
    said_all = {flow: f"{verdict} {rest}" for verdict, flow, rest in verdicts}
    return {flow: said_all.get(flow, "\n".join(lines[-30:])) for flow in flows}


def possible(flow: str, executor: str) -> bool:
    if executor == "process" and flow == "pytorch":
        return importlib.util.find_spec("torch") is not None
    if flow.startswith("jumpstart"):
        return executor != "process" or importlib.util.find_spec("lightgbm") is not None
    return not (executor == "process" and flow == "own_image")


@pytest.mark.parametrize("flow", FLOWS)
def test_the_sdk_s_own_classes_work(told: dict[str, str], flow: str) -> None:
    if flow not in told:
        pytest.skip("needs torch" if flow == "pytorch" else "needs a container engine")
    assert told[flow].startswith("ok "), told[flow]
