"""A batch transform job: a model server started, every object of the input sent through it, `.out` objects stored."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

from emulator.jobs import usage
from emulator.jobs.batch import Ask, Batch, Output, Plan
from emulator.jobs.inputs.channel import source_of
from emulator.jobs.inputs.objects import Item, empty, items
from emulator.jobs.invoking import Invoker
from emulator.jobs.lifecycle import Found
from emulator.jobs.processing import processing
from emulator.jobs.recipes.recipe import JobBroken, Tools
from emulator.jobs.record import NOTHING, News
from emulator.jobs.splitting import MEGABYTE
from emulator.ports import Usage
from emulator.servers import InvokeFailure, ModelServer, ServerFailed, ServerSpec
from emulator.storage import uri
from emulator.store.records import Record

LOG_GROUP = "/aws/sagemaker/TransformJobs"
DEFAULTS = {"MaxConcurrentTransforms": 1, "MaxPayloadInMB": 6, "BatchStrategy": "MULTI_RECORD"}
MOST_AT_ONCE = 100


class TransformRun:
    """One transform job. Fulfils `emulator.jobs.recipes.recipe.Recipe`."""

    def __init__(self, tools: Tools, record: Record) -> None:
        self._tools = tools
        self._record = record
        self._body = record.body
        self._folder = tools.folder(record.hidden["run_id"])
        self._instance = f"i-0{record.hidden['run_id'].encode().hex()[-16:]}"
        self._server: ModelServer | None = None
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self._began: float | None = None

    # --- phases -------------------------------------------------------------------------------------------------

    def fetch(self) -> News:
        """Nothing is downloaded beforehand; but there must be something to transform."""
        shutil.rmtree(self._folder, ignore_errors=True)
        source = source_of(self._body["TransformInput"])
        if empty(self._tools.storage, source):
            raise JobBroken(f'ClientError: No S3 objects found under S3 URL "{source.location}".')
        return NOTHING

    def launch(self) -> News:
        """Start the model server and wait until it is healthy."""
        try:
            server = self._tools.servers.start(self._spec())
            self._began = time.monotonic()
            with self._lock:
                self._server = server
            self._await_health(server)
        except ServerFailed as failed:
            text = str(failed)
            known = text.startswith(("ClientError:", "AlgorithmError:", "InternalServerError:"))
            download = text.startswith("Failed to ")
            prefix = "" if known else "ClientError: " if download else "AlgorithmError: The model server "
            raise JobBroken(prefix + text) from failed
        return News(hidden={"executor": server.executor_name})

    def watch(self) -> tuple[str, News] | None:
        """Transform every object. A bad record costs its object the output and the job its success, nothing else."""
        failure = ""
        plan = self._plan()
        batch = Batch(self._tools.storage, plan, self._asking(), self._folder / "out")
        with self._meter().running(), closing(batch.run(self._items(), self._halted)) as done:
            for output in done:
                if output.failure:
                    self._report(output)
                else:
                    self._store(output)
                output.path.unlink(missing_ok=True)
                failure = failure or output.failure
        return None if self._tools.closing.is_set() else (failure, NOTHING)

    def kill(self) -> None:
        """Send no further request, and end the server; what is stored stays."""
        self._given_up.set()
        threading.Thread(target=self._end_server, name=f"end:{self._record.key}", daemon=True).start()

    def leave(self) -> None:
        """The next start begins the whole job again: nobody needs this server."""
        self.kill()

    def save(self) -> News:
        """Every output was stored when it was done."""
        return NOTHING

    def retreat(self) -> News:
        """Nothing is half done: every output was stored when it was done."""
        self.release()
        return NOTHING

    def release(self) -> None:
        """End the server and remove the folder."""
        self._end_server()
        shutil.rmtree(self._folder, ignore_errors=True)

    def resume(self) -> Found:
        """A transform can always be done again: its outputs replace those of the first attempt."""
        server = self._tools.servers.adopt(self._spec())
        if server is not None:
            server.stop(0.0)
        return Found.AGAIN

    # --- the server ---------------------------------------------------------------------------------------------

    def _spec(self) -> ServerSpec:
        container = self._record.hidden["container"]
        return ServerSpec(
            run_id=self._record.hidden["run_id"],
            arn=self._record.arn,
            image=container["image"],
            model_data=container["model_data"],
            folder=self._folder,
            log_group=LOG_GROUP,
            log_stream=f"{self._record.key}/{self._instance}",
            environment={**container["environment"], **self._environment()},
            network=container["network"],
            uncompressed=container["uncompressed"],
            role=container.get("role", ""),
        )

    def _environment(self) -> dict[str, str]:
        wanted = {**DEFAULTS, **_asked(self._body)}
        return {
            **{str(k): str(v) for k, v in (self._body.get("Environment") or {}).items()},
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(wanted["MaxPayloadInMB"]),
            "SAGEMAKER_BATCH_STRATEGY": str(wanted["BatchStrategy"]),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(wanted["MaxConcurrentTransforms"]),
        }

    def _await_health(self, server: ModelServer) -> None:
        """In slices, so that a stop or the end of the house is noticed within a second."""
        left = self._tools.settings.start_timeout
        while True:
            try:
                return server.wait_healthy(min(1.0, left))
            except ServerFailed:
                left -= 1.0
                if left <= 0 or server.wait(0.0) is not None:
                    raise
                if self._halted():
                    raise JobBroken("The job was stopped before its model server was ready.") from None

    def _end_server(self) -> None:
        """End it, or wait until who does so is done: without the job's folder it would never hear that it is to end."""
        with self._lock:
            server, self._server = self._server, None
            if server is not None:
                server.stop(0.0 if self._tools.closing.is_set() else 5.0)

    def _halted(self) -> bool:
        return self._given_up.is_set() or self._tools.closing.is_set()

    def _meter(self) -> usage.Meter:
        """The service does not tell the disk of a transform job's instances."""
        tools = self._tools
        name = usage.resource(LOG_GROUP, self._record.key, self._instance)
        host = usage.Host(name, self._used, tools.machine.memory)
        return usage.Meter(tools.metrics, tools.clock, tools.settings.usage_seconds, [host], self._began)

    def _used(self) -> Usage | None:
        server = self._server
        return server.usage() if server is not None else None

    # --- requests -----------------------------------------------------------------------------------------------

    def _plan(self) -> Plan:
        """Precedence: the request, then what the container says, then the defaults."""
        limits = {**DEFAULTS, **self._container_wishes(), **_asked(self._body)}
        self._log(", ".join(f"{name}={limits[name]}" for name in DEFAULTS))
        source, target = self._body["TransformInput"], self._body["TransformOutput"]
        return Plan(
            split=source.get("SplitType", "None"),
            single=limits["BatchStrategy"] == "SINGLE_RECORD",
            limit=int(limits["MaxPayloadInMB"]) * MEGABYTE,
            assemble_lines=target.get("AssembleWith") == "Line",
            compression=source.get("CompressionType", "None"),
            processing=processing(
                self._body.get("DataProcessing") or {}, source.get("ContentType"), target.get("Accept")
            ),
            window=max(1, min(int(limits["MaxConcurrentTransforms"]), MOST_AT_ONCE)),
        )

    def _container_wishes(self) -> dict[str, Any]:
        """What GET /execution-parameters answers; a container may well not know it."""
        try:
            reply = self._serving().get("/execution-parameters")
            told = json.loads(reply.body) if reply.status == 200 and reply.body else {}
        except (InvokeFailure, ValueError):
            return {}
        if not isinstance(told, dict):
            return {}
        return {name: told[name] for name in DEFAULTS if isinstance(told.get(name), type(DEFAULTS[name]))}

    def _asking(self) -> Ask:
        headers = {
            "Content-Type": self._body["TransformInput"].get("ContentType"),
            "Accept": self._body["TransformOutput"].get("Accept"),
        }
        given = {name: value for name, value in headers.items() if value}
        return Invoker(self._serving, given, self._body.get("ModelClientConfig") or {}, self._given_up).ask

    def _serving(self) -> ModelServer:
        server = self._server
        if server is None:
            raise InvokeFailure("gone", "The model server was ended.")
        return server

    # --- objects and the data log -------------------------------------------------------------------------------

    def _items(self) -> list[Item]:
        """All objects, listed before the first output is stored: it may come to lie under the same prefix."""
        storage = self._tools.storage
        found = list(items(storage, source_of(self._body["TransformInput"])))
        return [item for item in found if item.size != 0]

    def _store(self, output: Output) -> None:
        if not output.path.exists():
            return
        bucket, key = uri.parse(uri.join(self._body["TransformOutput"]["S3OutputPath"], output.item.name + ".out"))
        try:
            self._tools.storage.store(output.path, bucket, key)
        except FileNotFoundError as error:
            raise JobBroken(f"ClientError: Output upload failed: {error}") from error

    def _report(self, output: Output) -> None:
        where = f"{output.item.bucket}/{output.item.key}"
        self._log(*(f"{where}: {line}" for line in output.lines))

    def _log(self, *lines: str) -> None:
        stamp = datetime.fromtimestamp(self._tools.clock.now(), timezone.utc).isoformat(timespec="milliseconds")[:23]
        stream = f"{self._record.key}/{self._instance}/data-log"
        self._tools.logs.append(LOG_GROUP, stream, [f"{stamp}:[sagemaker logs]: {line}" for line in lines])


def _asked(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the request sets of the limits, in the container's spelling; 0 transforms at once means `as you like`."""
    asked: dict[str, Any] = {}
    if body.get("MaxConcurrentTransforms"):
        asked["MaxConcurrentTransforms"] = body["MaxConcurrentTransforms"]
    if body.get("MaxPayloadInMB") is not None:
        asked["MaxPayloadInMB"] = body["MaxPayloadInMB"]
    if body.get("BatchStrategy"):
        asked["BatchStrategy"] = "SINGLE_RECORD" if body["BatchStrategy"] == "SingleRecord" else "MULTI_RECORD"
    return asked
