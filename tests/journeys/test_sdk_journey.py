"""The flows of the SageMaker Python SDKs 2.x and 3.x (`sdk_flows.py`) against a real server, a few in containers, too.

`.ci/sdk prepare` installs both SDKs into .sdk/; SAGELET_SDK_PYTHON and SAGELET_SDK3_PYTHON name other Pythons that have
one. It must not be ours, whose libraries the SDKs would change.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker
import pytest

from algorithms import catalog
from emulator.executors.docker_engine import Engine
from sagelet.server import Server
from tests.journeys import sdk_pythons
from tests.journeys.sdk_flows import FLOWS, PROGRAMS, Flow
from tests.journeys.sdk_pythons import python

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ELSEWHERE = re.compile("EndpointConnection|ConnectTimeout|ConnectionError|sts\\.|InvalidClientTokenId")
"""What an error says that comes of leaving the machine, or of having been told to."""
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

pytestmark = pytest.mark.timeout(900)


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
    for image in ("sagelet/server", "sagelet/frameworks"):
        reason = reason or ("" if engine.image(image) else f"{image} is not built: make images, containers/build.sh")
    engine.forget()
    return reason


def possible(flow: Flow, executor: str) -> bool:
    """Whether a flow is run under an executor: all as processes whose modules are here, a few in containers."""
    if executor != "process":
        return flow.containers
    module = flow.needs.removeprefix("no ")
    there = not module or (module != "engine" and importlib.util.find_spec(module) is not None)
    return there is not flow.needs.startswith("no ")


def run(sdk: str, executor: str, flows: Sequence[str], folder: Path, image: str = "") -> list[str]:
    """What the program of an SDK says of these flows on a server of its own."""
    with Server(folder / "data", ["--executor", executor]) as server:
        env = {**os.environ, **server.env, "HOME": str(folder), "SDK_OWN_IMAGE": image}
        command = [python(sdk), "-W", "ignore", str(HERE / PROGRAMS[sdk]), *flows]
        with (folder / "said").open("wb") as said:
            subprocess.run(command, env=env, cwd=folder, stdout=said, stderr=said, timeout=800, check=False)
    return (folder / "said").read_text(errors="replace").splitlines()


@pytest.fixture(
    scope="module",
    params=[
        ("2", "process"),
        ("3", "process"),
        *(pytest.param(("2", one), marks=pytest.mark.docker) for one in ("auto", "docker")),
    ],
    ids=lambda row: "-".join(row),
)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the program of an SDK says of each flow, under one executor; `sdk` is the SDK."""
    sdk, executor = request.param
    if not python(sdk):
        pytest.skip(sdk_pythons.missing(sdk))
    if reason := missing(executor):
        pytest.skip(reason)
    image = "" if executor == "process" else request.getfixturevalue("own_image")
    flows = [flow.name for flow in FLOWS[sdk] if possible(flow, executor)]
    lines = run(sdk, executor, flows, tmp_path_factory.mktemp(f"{sdk}-{executor}"), image)
    outside = sorted({line for line in lines if line.startswith("outside ")})
    assert not outside, f"an activated program leaves the machine: {outside}"
    verdicts = [line.split(" ", 2) for line in lines if line.startswith(("ok ", "FAILED "))]
    said = {flow: f"{verdict} {rest}" for verdict, flow, rest in verdicts}
    return {"sdk": sdk, **{flow: said.get(flow, "\n".join(lines[-30:])) for flow in flows}}


@pytest.mark.parametrize("name", list(dict.fromkeys(flow.name for flows in FLOWS.values() for flow in flows)))
def test_a_flow_of_the_sdk_works_or_is_refused_in_words(told: dict[str, str], name: str) -> None:
    flow = next((flow for flow in FLOWS[told["sdk"]] if flow.name == name), None)
    if flow is None:
        pytest.skip(f"no flow of the SDK {told['sdk']}")
    if name not in told:
        pytest.skip(f"needs {flow.needs}" if flow.needs else "is run as processes only")
    if not flow.refused:
        assert told[name].startswith("ok "), told[name]
        return
    assert told[name].startswith("FAILED "), f"{name} is refused no longer: say so in sdk_flows.py"
    assert re.search(flow.refused, told[name]) and not ELSEWHERE.search(told[name]), told[name]


@pytest.mark.parametrize("sdk", list(FLOWS))
def test_every_flow_of_a_program_is_in_the_table_and_none_other(sdk: str) -> None:
    tree = ast.parse((HERE / PROGRAMS[sdk]).read_text())
    (named,) = [
        [name.id for name in node.value.elts if isinstance(name, ast.Name)]
        for node in tree.body
        if isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "FLOWS"
        and isinstance(node.value, ast.List)
    ]
    assert named == [flow.name for flow in FLOWS[sdk]]
