"""An image such as a user makes, a server that runs it, and what the engine holds of that server."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator.executors.docker_engine import Engine
from emulator.executors.docker_labels import DATA_LABEL
from sagelet.server import Server
from tests.executors.docker_bench import BASES, find_nothing
from tests.journeys.conftest import ROLE, Client

ONE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
TRAIN = """#!/usr/bin/python3 -u
import json
exec(json.loads(json.load(open("/opt/ml/input/config/hyperparameters.json"))["program"]))
"""
SERVE = """#!/usr/bin/python3 -u
import http.server, os, signal, sys, uuid
ME = uuid.uuid4().hex
class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = "%s %s %s" % (ME, os.environ.get("COLOUR", ""), body.decode())
        self.send_response(200); self.send_header("Content-Length", str(len(told)))
        name = "X-Amzn-SageMaker-Custom-Attributes"
        self.send_header(name, self.headers.get(name, "none")[::-1])
        self.send_header("Content-Type", "text/plain"); self.end_headers(); self.wfile.write(told.encode())
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("serving", os.listdir("/opt/ml/model") if os.path.isdir("/opt/ml/model") else "no model")
http.server.ThreadingHTTPServer(("", 8080), Answer).serve_forever()
"""
PROCESS = """#!/bin/sh
echo "asked to process $*"
for f in /opt/ml/processing/input/*; do echo "seen $(cat $f)" >> /opt/ml/processing/output/seen; done
"""


@contextmanager
def own_image(repository: str) -> Iterator[str]:
    """Build it: `train` does what the hyperparameter `program` says, `serve` is an echo, `process` copies."""
    engine = Engine(find_nothing)
    away = engine.away()
    base = "" if away else next((name for name in BASES if engine.image(name)), "")
    if not base:
        reason = away or f"no base image ({' or '.join(BASES)}): containers/base/make.sh makes one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    tag = f"{repository}:{uuid.uuid4().hex[:8]}"
    dockerfile = f"FROM {base}\nCOPY train serve process /usr/local/bin/\n"
    files = {"Dockerfile": dockerfile, "train": TRAIN, "serve": SERVE, "process": PROCESS}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    packed.seek(0)
    engine.client().images.build(fileobj=packed, custom_context=True, tag=tag, rm=True)
    try:
        yield tag
    finally:
        engine.client().images.remove(tag, force=True)
        engine.forget()


class WeakServer(Server):
    """A server of user 1000, who may use the engine."""

    def start(self) -> Server:
        os.chown(self.data_dir, 1000, 1000)
        ready, log = self.data_dir / "ready", self.data_dir / "server.log"
        ready.unlink(missing_ok=True)
        group = Path("/var/run/docker.sock").stat().st_gid
        user = ["setpriv", "--reuid=1000", "--regid=1000", f"--groups={group}", "--inh-caps=-all"]
        options = ["--port", "0", "--data-dir", str(self.data_dir), "--ready-file", str(ready), *self.options]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*user, sys.executable, "-m", "sagelet", "up", *options],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(self.data_dir)},
            )  # fmt: skip
        self.url = self._await(ready, log)
        return self


class Box(Client):
    """boto3 against a server of containers; knows what the engine holds of it."""

    def __init__(self, server: Server, image: str):
        super().__init__(server)
        self.image = image
        self.engine = Engine(find_nothing)

    def start(self, program: str, *, job: str | None = None, bucket: str = "box", **changes) -> str:
        """Create a training job whose program is that text."""
        name = job or self.name("box")
        resources = ONE | changes.pop("Resources", {})
        request = {
            "TrainingJobName": name, "RoleArn": ROLE, "ResourceConfig": resources,
            "AlgorithmSpecification": {"TrainingImage": self.image, "TrainingInputMode": "File"},
            "HyperParameters": {"program": json.dumps(program)}, "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }  # fmt: skip
        self.sagemaker.create_training_job(**(request | changes))
        return name

    def ended(self, job: str) -> dict:
        return self.settle(lambda: self.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")

    def run(self, program: str, **changes) -> dict:
        return self.ended(self.start(program, **changes))

    def lines(self, job: str, host: str = "", group: str = "/aws/sagemaker/TrainingJobs") -> list[str]:
        """What a job printed, without what the house says before; nothing when it has no log yet."""
        try:
            streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/{host}")
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for stream in streams["logStreams"]
            for page in self.pages(group, stream["logStreamName"])
            for event in page
            if not event["message"].startswith("Sagelet ")
        ]

    def pages(self, group: str, stream: str) -> Iterator[list[dict]]:
        token: dict = {}
        while True:
            answer = self.logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
            if not answer["events"]:
                return
            yield answer["events"]
            token = {"nextToken": answer["nextForwardToken"]}

    def members(self, told: dict) -> dict[str, bytes]:
        """The files of a job's model.tar.gz."""
        bucket, _, key = told["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
        packed = io.BytesIO(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        with tarfile.open(fileobj=packed) as archive:
            return {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}

    def until_logged(self, job: str, text: str, **more) -> None:
        until(lambda: text in self.lines(job, **more), f"{job} did not print {text}")

    def containers(self) -> list:
        return self.engine.client().containers.list(all=True, ignore_removed=True, filters={"label": self._mark()})

    def left(self) -> list[str]:
        """Containers, networks and folders of runs."""
        networks = self.engine.client().networks.list(filters={"label": self._mark()})
        work = Path(self.server.data_dir) / "work"
        return [str(one.name) for one in [*self.containers(), *networks]] + [path.name for path in work.glob("*")]

    def _mark(self) -> str:
        return f"{DATA_LABEL}={Path(self.server.data_dir).resolve()}"

    def end(self) -> None:
        self.engine.forget()


def until(true, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)
