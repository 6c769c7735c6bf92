"""What an invocation of a tabular model costs above the model itself, and how many eight clients get of the machine."""

from __future__ import annotations

import contextlib
import io
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, servers, tabular
from benchmarks.clients import Asked, Clients
from benchmarks.rows import ROLE, Figures, boto

BUCKET = "served"
CLIENTS = 8
SECONDS, SLICES = 1.6, 4
CLIENT_SECONDS, CLIENT_SLICES = 1.5, 2
"""Processes begin and end at slightly different times, which counts in short slices."""


Ask = Callable[[], Asked]


@dataclass(frozen=True)
class Served:
    """A model in service: `body` is what it is asked for, `asks` the whole invocation, `bare` the same at the model's
    own server, `socket` where that listens, `predict` the model's own function in this process."""

    name: str
    body: str
    content_type: str
    asks: bytes
    bare: bytes
    socket: str
    predict: tabular.Predict


@dataclass
class Spent:
    """What a load has come to: its answers, in how many seconds, the processor that they took of us, and that which
    nobody used meanwhile."""

    answers: int = 0
    seconds: float = 0.0
    own: float = 0.0
    idle: float = 0.0


class Endpoints:
    """All tabular models, trained and deployed by one server."""

    def __init__(self, stack: contextlib.ExitStack, models: tuple[tabular.Tabular, ...] = tabular.MODELS) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="b-")))
        self.server = stack.enter_context(servers.sagelet(str(self.folder / "d"), "--executor", "process"))
        servers.first_answers(self.server)
        self.client, self.s3 = boto(self.server.url, "sagemaker"), boto(self.server.url, "s3")
        self.s3.create_bucket(Bucket=BUCKET)
        for key, content in tabular.objects().items():
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        self.served = [self._serve(model) for model in models]
        self._noted = ""

    def latencies(self) -> list[Figures]:
        """p50 in ms: of each model the endpoint and the model's own predict. That of its own server is noted."""
        found = [self._latency(one) for one in self.served]
        self._note(f"+{bare - own:.2f} ms" for _, bare, own in found)
        return [(door, own) for door, _, own in found]

    def rates(self) -> list[Figures]:
        """Invocations per second of eight clients of each endpoint, and those that the cores allow. The same of the
        model's own server is noted.

        What the cores allow: the seconds of processor that were not other programs', over those that one invocation
        takes, of the client, the front door and the model's server together, where a single client asks.
        """
        found = [self._rate(self.server.url, one.asks) for one in self.served]
        bare = [self._rate(one.socket, one.bare) for one in self.served]
        self._note(f"{rate:.0f}/s ({rate / allowed:.2f})" for rate, allowed in bare)
        return found

    def client_rates(self) -> list[Figures]:
        """As `rates`, of clients as users have them."""
        return [self._client_rate(one) for one in self.served]

    def _client_rate(self, one: Served) -> Figures:
        place = (self.server.url, one.name, one.body, one.content_type)
        with Clients(1, *place) as single, Clients(CLIENTS, *place) as eight:
            return self._compared(CLIENT_SLICES, lambda: single.ask(CLIENT_SECONDS), lambda: eight.ask(CLIENT_SECONDS))

    def _rate(self, url: str, asks: bytes) -> Figures:
        load.run(url, [asks], CLIENTS, 0.2)
        return self._compared(SLICES, lambda: _bare_sockets(url, asks, 1), lambda: _bare_sockets(url, asks, CLIENTS))

    def _compared(self, slices: int, alone: Ask, several: Ask) -> Figures:
        """Answers per second of several, and those that the cores allow. Both ask in slices that follow each other: how
        fast the cores are changes with what else they do."""
        of_one, of_several = Spent(), Spent()
        for _ in range(slices):
            self._spend(of_one, alone)
            self._spend(of_several, several)
        allowed = (of_several.own + of_several.idle) / (of_one.own / of_one.answers)
        return of_several.answers / of_several.seconds, allowed / of_several.seconds

    def _spend(self, spent: Spent, ask: Ask) -> None:
        before, ours = servers.idle(), self.server.processor()
        asked = ask()
        spent.idle += servers.idle() - before
        spent.own += self.server.processor() - ours + asked.own
        spent.answers += asked.answers
        spent.seconds += asked.seconds

    def told(self) -> str:
        """What the last round has noted of each model."""
        return self._noted

    def _note(self, figures: Iterable[str]) -> None:
        self._noted = ", ".join(f"{one.name} {figure}" for one, figure in zip(self.served, figures, strict=True))

    def _latency(self, one: Served) -> tuple[float, float, float]:
        door = _checked(load.run(self.server.url, [one.asks], 1, SECONDS), one)
        bare = _checked(load.run(one.socket, [one.bare], 1, SECONDS), one)
        return door.quantile(0.5) * 1000, bare.quantile(0.5) * 1000, _p50(one.predict)

    def _serve(self, model: tabular.Tabular) -> Served:
        name, hosting = model.name, tabular.images(model, self.server.url)[1]
        artifact = str(tabular.train(model, self.server.url, BUCKET)["ModelArtifacts"]["S3ModelArtifacts"])
        folder = self.folder / name
        bucket, _, key = artifact.removeprefix("s3://").partition("/")
        packed = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(folder, filter="data")
        before = set(self._sockets())
        self._deploy(name, hosting, artifact)
        [socket] = set(self._sockets()) - before
        body, kind = model.body.encode(), model.content_type
        headers = {"Content-Type": kind}
        asks = load.request("POST", f"/endpoints/{name}/invocations", "sagemaker", body, headers)
        bare = load.request("POST", "/invocations", "sagemaker", body, headers)
        return Served(name, model.body, kind, asks, bare, load.UNIX + socket, model.predict(folder))

    def _sockets(self) -> list[str]:
        return [str(path) for path in (self.folder / "d" / "work").glob("host-*/process/socket/*")]

    def _deploy(self, name: str, image: str, artifact: str) -> None:
        container = {"Image": image, "ModelDataUrl": artifact}
        self.client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "a", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        self.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        self.client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        while (answer := self.client.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
            time.sleep(0.02)
        if answer["EndpointStatus"] != "InService":
            raise SystemExit(f"{name}: {answer.get('FailureReason')}")


def _bare_sockets(url: str, asks: bytes, clients: int) -> Asked:
    own = time.process_time()
    done = load.run(url, [asks], clients, SECONDS / SLICES)
    if done.errors:
        raise SystemExit(f"{done.errors} invocations of {url} failed")
    return Asked(len(done.times), done.seconds, time.process_time() - own)


def _checked(done: load.Load, one: Served) -> load.Load:
    if done.errors:
        raise SystemExit(f"{done.errors} invocations of {one.name} failed")
    return done


def _p50(predict: tabular.Predict) -> float:
    times = []
    end = time.perf_counter() + 0.3
    while time.perf_counter() < end:
        began = time.perf_counter()
        predict()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000
