"""What an invocation of a tabular model costs above the model itself, and how many eight clients get of the machine."""

from __future__ import annotations

import contextlib
import io
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, servers, tabular
from benchmarks.clients import Clients, Place
from benchmarks.rows import ROLE, Figures, boto

BUCKET = "served"
CLIENTS = 8
SECONDS, SLICES = 1.6, 4
CLIENT_SECONDS, CLIENT_SLICES = 1.5, 2
"""Processes begin and end at slightly different times, which counts in short slices."""


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
        self._noted = _noted(self.served, [f"+{bare - own:.2f} ms" for _, bare, own in found])
        return [(door, own) for door, _, own in found]

    def told(self) -> str:
        """What the last round has noted of each model."""
        return self._noted

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


class Shared:
    """Eight clients of one server, in turn with eight of two servers, four each, which share nothing but the cores:
    what those allow."""

    def __init__(self, one: Endpoints, other: Endpoints) -> None:
        self._urls = one.server.url, other.server.url
        self._pairs = list(zip(one.served, other.served, strict=True))
        self._noted = ""

    def rates(self) -> list[Figures]:
        """Invocations per second of sockets that send prepared bytes. The same of the models' own servers is noted."""
        found = [self._rate(*self._urls, one.asks) for one, _ in self._pairs]
        bare = [self._rate(one.socket, other.socket, one.bare) for one, other in self._pairs]
        figures = [f"{ours:.0f}/s ({ours / both:.2f})" for ours, both in bare]
        self._noted = _noted([one for one, _ in self._pairs], figures)
        return found

    def client_rates(self) -> list[Figures]:
        """Invocations per second of clients as users have them."""
        return [self._client_rate(one) for one, _ in self._pairs]

    def told(self) -> str:
        """What the last round has noted of each model."""
        return self._noted

    def _client_rate(self, one: Served) -> Figures:
        first, second = (Place(url, one.name, one.body, one.content_type) for url in self._urls)
        with Clients([first] * CLIENTS) as ours, Clients([first, second] * (CLIENTS // 2)) as both:
            return _in_turn(CLIENT_SLICES, lambda: ours.ask(CLIENT_SECONDS), lambda: both.ask(CLIENT_SECONDS))

    def _rate(self, first: str, second: str, asks: bytes) -> Figures:
        _bare_sockets(asks, first, second)
        return _in_turn(SLICES, lambda: _bare_sockets(asks, first), lambda: _bare_sockets(asks, first, second))


def _in_turn(slices: int, ours: Callable[[], float], theirs: Callable[[], float]) -> Figures:
    """The means of several slices each: how fast the cores are changes with what else they do."""
    rates = [(ours(), theirs()) for _ in range(slices)]
    return statistics.mean(own for own, _ in rates), statistics.mean(other for _, other in rates)


def _bare_sockets(asks: bytes, *urls: str) -> float:
    done = load.run(urls[0], [asks], CLIENTS, SECONDS / SLICES, *urls[1:])
    if done.errors:
        raise SystemExit(f"{done.errors} invocations of {' and '.join(urls)} failed")
    return done.rate


def _noted(served: list[Served], figures: list[str]) -> str:
    return ", ".join(f"{one.name} {figure}" for one, figure in zip(served, figures, strict=True))


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
