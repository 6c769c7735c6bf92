"""Docker for tests: two small images, and an executor with a data directory of its own."""

from __future__ import annotations

import io
import os
import tarfile
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from emulator.executors.docker import DockerExecutor
from emulator.executors.docker_engine import Engine
from emulator.executors.docker_labels import DATA_LABEL, OWN_LABEL
from emulator.executors.docker_plan import RELAY_SCRIPT, Owner
from emulator.ports import Exit, Gateways, Mount, RunSpec
from emulator.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
BASES = ("sagelet/base:bookworm", "python:3.11-slim")
SERVER = """
import http.server, os, socketserver, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"pong")
    def address_string(self): return "?"
where = os.environ.get("SAGEMAKER_BIND_TO_SOCKET")
print("serving", flush=True)
if where:
    class Unix(socketserver.UnixStreamServer):
        def get_request(self): return self.socket.accept()[0], ("?", 0)
    Unix(where, Answer).serve_forever()
http.server.HTTPServer(("0.0.0.0", 8080), Answer).serve_forever()
"""


def find_nothing(image: str) -> None:
    """A catalogue without algorithms."""


EMPTY = SimpleNamespace(find=find_nothing)


@dataclass
class Images:
    """Two images with Python: one made by us (it bears our label), one of a stranger."""

    own: str
    stranger: str


@pytest.fixture(scope="session")
def images() -> Iterator[Images]:
    engine = Engine(find_nothing)
    away = engine.away()
    base = "" if away else next((name for name in BASES if engine.image(name)), "")
    if not base:
        reason = away or f"no base image ({' or '.join(BASES)}): containers/base/make.sh makes one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    mark = uuid.uuid4().hex[:8]
    made = Images(f"sagelet-test/own:{mark}", f"sagelet-test/stranger:{mark}")
    build(engine, made.stranger, base, "")
    build(engine, made.own, base, f"LABEL {OWN_LABEL}=probe")
    yield made
    for name in (made.own, made.stranger):
        engine.client().images.remove(name, force=True)
    engine.forget()


def build(engine: Engine, tag: str, base: str, extra: str) -> None:
    files = {
        "Dockerfile": f'FROM {base}\nCOPY relay.py {RELAY_SCRIPT}\nCOPY verb /verb\n{extra}\nENTRYPOINT ["/verb"]\n',
        "relay.py": (ROOT / "containers" / "relay.py").read_text(),
        "verb": '#!/bin/sh\necho "asked to $*"\n',
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    packed.seek(0)
    engine.client().images.build(fileobj=packed, custom_context=True, tag=tag, rm=True)


class Bench:
    """An executor with a data directory of its own, and runs in it."""

    def __init__(self, folder: Path, owner: Owner | None = None, pull: str = "never") -> None:
        self.folder = folder
        self.owner = owner
        self.pull = pull
        self.gateways: Gateways | None = None
        self.executor = self.another()

    def another(self) -> DockerExecutor:
        settings = Settings(data_dir=self.folder, pull=self.pull)
        return DockerExecutor(settings, EMPTY, owner=self.owner, gateways=lambda: self.gateways)

    def spec(self, image: str, code: str = "", **changes: object) -> RunSpec:
        run_id = uuid.uuid4().hex[:12]
        folder = self.folder / "work" / run_id
        (folder / "ml").mkdir(parents=True)
        if self.owner:
            os.chown(folder / "ml", self.owner.uid, self.owner.gid)
        values: dict[str, object] = {
            "run_id": run_id, "arn": f"arn:aws:sagemaker:::training-job/{run_id}", "image": image, "verb": "train",
            "folder": folder, "log": folder / "log", "mounts": (Mount(folder / "ml", "/opt/ml"),),
            "entrypoint": ("python3", "-u", "-c", textwrap.dedent(code)) if code else (),
        }  # fmt: skip
        return RunSpec(**(values | changes))  # type: ignore[arg-type]

    def run(self, spec: RunSpec) -> Exit:
        self.executor.start(spec)
        over = self.executor.wait(spec.run_id, 60)
        assert over is not None
        return over

    def containers(self) -> list[str]:
        found = (
            Engine(find_nothing)
            .client()
            .containers.list(all=True, ignore_removed=True, filters={"label": f"{DATA_LABEL}={self.folder.resolve()}"})
        )
        return [str(container.name) for container in found]

    def networks(self) -> list[str]:
        found = Engine(find_nothing).client().networks.list(filters={"label": f"{DATA_LABEL}={self.folder.resolve()}"})
        return [str(network.name) for network in found]

    def end(self) -> None:
        """Release everything, and see that nothing is left."""
        for run_id in list(self.executor._runs):
            self.executor.release(run_id)
        self.executor.close()
        until(lambda: self.containers() == [] and self.networks() == [])  # the engine may be at it still
        until(lambda: not any(thread.name.startswith("docker-") for thread in threading.enumerate()))


@pytest.fixture
def bench(tmp_path: Path, images: Images) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.end()


def lines(spec: RunSpec) -> list[str]:
    return [line.split(" ", 1)[1] for line in spec.log.read_text().splitlines()]


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)
