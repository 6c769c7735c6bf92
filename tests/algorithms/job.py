"""A job's folder and processes for the tests: writes /opt/ml, runs `algorithms.run`, asks a running server."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.algorithms import preloaded

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS, STOP_SECONDS = 60, 20
SHARDED = {("random_cut_forest", "train")}
"""Channels whose data an algorithm demands to be spread over the hosts."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A server under test; `post` and `get` open one connection each."""

    socket: str
    process: subprocess.Popen
    log: Path

    @property
    def port(self) -> int:
        """The port that it says it listens at, when it is not a socket."""
        found = re.search(r"Listening at: http://[\d.]+:(\d+)", self.log.read_text())
        return int(found.group(1)) if found else 0

    def post(self, body: bytes | str, content_type: str = "", accept: str = "") -> Answer:
        headers = {"Content-Type": content_type, "Accept": accept}
        data = body.encode() if isinstance(body, str) else body
        return self.ask("POST", "/invocations", data, {k: v for k, v in headers.items() if v})

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        on_socket = Path(self.socket).exists()
        connection = _UnixConnection(self.socket) if on_socket else http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            headers = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, reply.read(), headers.get("content-type", ""), headers)
        finally:
            connection.close()


@dataclass(frozen=True)
class Ended:
    code: int
    output: str
    failure: str


class Job:
    """One /opt/ml in a temporary folder."""

    def __init__(self, base: Path, algorithm: str) -> None:
        self.base = base
        self.algorithm = algorithm

    @property
    def model(self) -> Path:
        return self.base / "model"

    def prepare(self, hyperparameters: Mapping[str, str], **channels: str) -> None:
        """Write the configuration; each channel is given by its ContentType ("" for none)."""
        shown = {
            name: {"TrainingInputMode": "File", "S3DistributionType": self._distribution(name)}
            | ({"ContentType": kind} if kind else {})
            for name, kind in channels.items()
        }
        self.configure("hyperparameters", dict(hyperparameters))
        self.configure("inputdataconfig", shown)
        self.configure("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]})
        for name in channels:
            (self.base / "input/data" / name).mkdir(parents=True, exist_ok=True)

    def _distribution(self, channel: str) -> str:
        return "ShardedByS3Key" if (self.algorithm, channel) in SHARDED else "FullyReplicated"

    def configure(self, name: str, value: object) -> None:
        path = self.base / "input/config" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))

    def put(self, name: str, content: str | bytes) -> Path:
        """A file of `input/data`, such as `train/a.csv`."""
        path = self.base / "input/data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def start(self, verb: str, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            preloaded.command(self.algorithm, verb, environment),
            cwd=ROOT, env=self._environment(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )  # fmt: skip

    def train(self, **environment: str) -> Ended:
        with self.start("train", **environment) as process:
            output, _ = process.communicate(timeout=240)
        return self.ended(process.returncode, output)

    def ended(self, code: int, output: str) -> Ended:
        failure = self.base / "output/failure"
        return Ended(code, output, failure.read_text() if failure.exists() else "")

    @contextlib.contextmanager
    def serve(self, **environment: str) -> Iterator[Server]:
        where = str(self.base / "s")
        with (self.base / "serve.log").open("w") as log:
            process = subprocess.Popen(
                preloaded.command(self.algorithm, "serve", environment),
                cwd=ROOT,
                env=self._environment({"SAGEMAKER_BIND_TO_SOCKET": where} | environment),
                stdout=log,
                stderr=log,
            )
        try:
            server = Server(where, process, self.base / "serve.log")
            self._wait(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
        assert code == 0, self.log

    @property
    def log(self) -> str:
        return (self.base / "serve.log").read_text()

    def _wait(self, server: Server) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert server.process.poll() is None, self.log
            try:
                if server.get("/ping").status == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"no answer to /ping: {self.log}")

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {"SAGEMAKER_BASE_DIR": str(self.base), "PYTHONUNBUFFERED": "1"} | dict(more)
