"""One model server: its folder with the extracted model, its run, its health, its invocations."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from emulator import arns
from emulator.call import Scope
from emulator.ports import CALLER, PICKLED_BY, Executor, Exit, Logs, Mount, RunSpec, Storage, Usage
from emulator.servers.client import Client, InvokeFailure, Reply, Request
from emulator.servers.way_back import WayBack, unmixed
from emulator.storage import archive, uri

TAIL_LINES = 8
"""How many of the last log lines a failure quotes."""


@dataclass(frozen=True)
class ServerSpec:
    """A model to serve: the image, the model archive's URI (or a prefix of plain objects), and where it logs.

    `arn` is whose server it is; its account and region are those of the logs. `role` is the model's: with a network the
    program gets its credentials.
    """

    run_id: str
    arn: str
    image: str
    model_data: str
    folder: Path
    log_group: str
    log_stream: str
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = True
    container_name: str = "primary"
    uncompressed: bool = False
    role: str = ""


class ServerFailed(Exception):
    """The server cannot come up; the message is fit for a FailureReason."""


class Runner(Protocol):
    """What this room needs of `emulator.executors.Executors`."""

    def choose(self, spec: RunSpec) -> Executor:
        """The executor that will run `spec`; raises when there is none."""
        ...

    def adopt(self, spec: RunSpec) -> Executor | None:
        """The executor that still has a run of `spec`."""
        ...


class ModelServers:
    """Starts model servers, and finds them again after a restart of the house."""

    def __init__(self, executors: Runner, storage: Storage, logs: Logs, way_back: WayBack | None = None) -> None:
        self._executors = executors
        self._storage = storage
        self._logs = logs
        self._way_back = way_back or WayBack()

    def start(self, spec: ServerSpec) -> ModelServer:
        """Fetch the model and start its server; `ServerFailed` when either is impossible."""
        self._fetch(spec)
        run = self._run_spec(spec, self._credentials(spec))
        try:
            executor = self._executors.choose(run)
        except Exception as error:
            raise ServerFailed(f"ClientError: Cannot pull image {spec.image}: {error}") from error
        self._logs_of(spec).append(
            spec.log_group, spec.log_stream, [f"Sagelet serves {spec.image} with the {executor.name} executor."]
        )
        executor.start(run)
        return ModelServer(spec, executor, self._logs_of(spec))

    def adopt(self, spec: ServerSpec) -> ModelServer | None:
        """The server of `spec` if it outlived the house; None when it must be started again."""
        executor = self._executors.adopt(self._run_spec(spec))
        return ModelServer(spec, executor, self._logs_of(spec)) if executor else None

    def _logs_of(self, spec: ServerSpec) -> Logs:
        return self._logs.of(_scope(spec))

    def _credentials(self, spec: ServerSpec) -> Mapping[str, str]:
        """Nothing under network isolation, where there is no way to the house."""
        return self._way_back.credentials(spec.role, _scope(spec)) if spec.network else {}

    def _run_spec(self, spec: ServerSpec, credentials: Mapping[str, str] | None = None) -> RunSpec:
        region = _scope(spec).region
        own = {"SAGELET_IMAGE": spec.image, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        if self._way_back.python and PICKLED_BY in spec.environment:
            own[CALLER] = self._way_back.python
        return RunSpec(
            run_id=spec.run_id,
            arn=spec.arn,
            image=spec.image,
            verb="serve",
            folder=spec.folder,
            log=self._logs_of(spec).path(spec.log_group, spec.log_stream),
            environment={**unmixed(credentials or {}, spec.environment), **own, **spec.environment},
            mounts=(Mount(spec.folder / "ml", "/opt/ml"),),
            network=spec.network,
            endpoint=self._way_back.url() if spec.network else "",
        )

    def _fetch(self, spec: ServerSpec) -> None:
        model = spec.folder / "ml" / "model"
        model.mkdir(parents=True, exist_ok=True)
        if not spec.model_data:
            return
        try:
            bucket, key = uri.parse(spec.model_data)
            if spec.uncompressed:
                self._fetch_tree(bucket, key, model)
            else:
                self._fetch_archive(bucket, key, spec.folder / "model.tar.gz", model)
        except archive.ArchiveRefused as error:
            raise ServerFailed(f'ClientError: The model data at "{spec.model_data}" cannot be used: {error}') from error
        except (FileNotFoundError, ValueError) as error:
            raise ServerFailed(
                f'Failed to download model data for container "container_1" from URL: "{spec.model_data}". '
                "Please ensure that there is an object located at the URL and that the role passed to CreateModel "
                "has permissions to download the object."
            ) from error
        except OSError as error:
            raise ServerFailed(f'Failed to unpack model data from URL "{spec.model_data}": {error}') from error

    def _fetch_archive(self, bucket: str, key: str, packed: Path, model: Path) -> None:
        packed.unlink(missing_ok=True)
        self._storage.fetch(bucket, key, packed)
        archive.extract(packed, model)
        packed.unlink()

    def _fetch_tree(self, bucket: str, prefix: str, model: Path) -> None:
        found = False
        for item in self._storage.list(bucket, prefix):
            name = item.key[len(prefix) :].lstrip("/")
            target = (model / name).resolve()
            if not name or name.endswith("/") or not target.is_relative_to(model.resolve()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            self._storage.fetch(bucket, item.key, target)
            found = True
        if not found:
            raise FileNotFoundError(f"s3://{bucket}/{prefix}")


def _scope(spec: ServerSpec) -> Scope:
    owner = arns.parse(spec.arn)
    return Scope(owner.account, owner.region)


class ModelServer:
    """A server that was started. Thread safe; `stop` may come at any time."""

    def __init__(self, spec: ServerSpec, executor: Executor, logs: Logs) -> None:
        self.spec = spec
        self._executor = executor
        self._logs = logs
        self._client: Client | None = None
        self._exit: Exit | None = None
        self._lock = threading.Lock()

    @property
    def executor_name(self) -> str:
        """The executor that runs it."""
        return self._executor.name

    def wait_healthy(self, timeout: float) -> None:
        """Block until /ping answers 200; `ServerFailed` with the last log lines when it dies or time runs out."""
        end = time.monotonic() + timeout
        pause = 0.01
        while time.monotonic() < end:
            over = self.wait(pause)
            if over is not None:
                raise ServerFailed(self._died(over))
            if self._ping():
                return
            pause = min(pause * 1.5, 0.5)
        raise ServerFailed(f"did not answer the /ping health check within {timeout:g} seconds.{self._tail()}")

    def wait(self, timeout: float | None = None) -> Exit | None:
        """How the server ended, or None when it still runs after `timeout` seconds."""
        if self._exit is None:
            over = self._executor.wait(self.spec.run_id, timeout)
            with self._lock:
                self._exit = self._exit or over
        return self._exit

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """POST /invocations. `InvokeFailure` when there is no answer."""
        return self._connected().ask(Request("POST", "/invocations", body, headers), timeout)

    def invoke_stream(self, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[Reply, Iterator[bytes]]:
        """POST /invocations, the answer's body as it comes."""
        return self._connected().stream(Request("POST", "/invocations", body, headers), timeout)

    def get(self, path: str, timeout: float = 10.0) -> Reply:
        """GET `path` (`/execution-parameters`)."""
        return self._connected().ask(Request("GET", path), timeout)

    def usage(self) -> Usage | None:
        """What the server uses of the machine; None when that cannot be measured."""
        return self._executor.usage(self.spec.run_id)

    def stop(self, grace: float = 30.0) -> None:
        """End the server (SIGTERM, `grace` seconds, SIGKILL) and give back all that it held."""
        if self._client:
            self._client.close()
        self._executor.stop(self.spec.run_id, grace)
        self.wait(grace + 10.0)
        self._executor.release(self.spec.run_id)
        shutil.rmtree(self.spec.folder, ignore_errors=True)

    def failure(self) -> str:
        """Why the server is gone, with its last log lines; empty while it runs."""
        return self._died(self._exit) if self._exit else ""

    def _connected(self) -> Client:
        if self._client is None:
            address = self._executor.address(self.spec.run_id)
            if address is None:
                raise InvokeFailure("gone", "The model server has not opened its port.")
            with self._lock:
                self._client = self._client or Client(address)
        return self._client

    def _ping(self) -> bool:
        try:
            return self._connected().ask(Request("GET", "/ping"), 2.0).status == 200
        except InvokeFailure:
            return False

    def _died(self, over: Exit) -> str:
        code = f" with exit code {over.code}" if over.code is not None else ""
        detail = f": {over.detail}" if over.detail else "."
        return f"ended{code} ({over.reason.value}){detail}{self._tail()}"

    def _tail(self) -> str:
        last = deque(self._logs.read(self.spec.log_group, self.spec.log_stream), TAIL_LINES)
        lines = [line.message for line in last]
        return " Last log lines: " + " | ".join(lines) if lines else ""
