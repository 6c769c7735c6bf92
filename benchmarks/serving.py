"""What an invocation of a tabular model costs above the model itself, and how many eight clients get of the machine."""

from __future__ import annotations

import contextlib
import io
import statistics
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, servers, tabular
from benchmarks.jobs import request, settle
from benchmarks.rows import ROLE, Figures, boto

BUCKET = "served"
CLIENTS = 8
SECONDS = 1.5


@dataclass(frozen=True)
class Served:
    """A model in service: `asks` is the invocation, `bare` the same at the model's own server, `socket` where that
    listens, `predict` the model's own function in this process."""

    name: str
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

    def latencies(self) -> list[Figures]:
        """p50 in ms: of each model the endpoint and the model's own predict, then its server and the same predict."""
        found = [self._latency(one) for one in self.served]
        return [(door, own) for door, _, own in found] + [(bare, own) for _, bare, own in found]

    def _latency(self, one: Served) -> tuple[float, float, float]:
        door = _checked(load.run(self.server.url, [one.asks], 1, SECONDS), one)
        bare = _checked(load.run(one.socket, [one.bare], 1, SECONDS), one)
        return door.quantile(0.5) * 1000, bare.quantile(0.5) * 1000, _p50(one.predict)

    def _serve(self, model: tabular.Tabular) -> Served:
        training, hosting, parameters = tabular.images(model, self.server.url)
        name = model.title.lower().replace(" ", "-")
        artifact = self._train(name, model, training, parameters)
        folder = self.folder / name
        bucket, _, key = artifact.removeprefix("s3://").partition("/")
        packed = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(folder, filter="data")
        before = set(self._sockets())
        self._deploy(name, hosting, artifact)
        [socket] = set(self._sockets()) - before
        body, headers = model.body.encode(), {"Content-Type": model.content_type}
        asks = load.request("POST", f"/endpoints/{name}/invocations", "sagemaker", body, headers)
        bare = load.request("POST", "/invocations", "sagemaker", body, headers)
        return Served(name, asks, bare, load.UNIX + socket, model.predict(folder))

    def _sockets(self) -> list[str]:
        return [str(path) for path in (self.folder / "d" / "work").glob("host-*/process/socket/*")]

    def _train(self, name: str, model: tabular.Tabular, image: str, parameters: dict[str, str]) -> str:
        channels = [
            {
                "ChannelName": channel, "ContentType": model.takes,
                "DataSource": {"S3DataSource": {
                    "S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{key}", "S3DataDistributionType": model.spread,
                }},
            }
            for channel, key in model.channels.items()
        ]  # fmt: skip
        members = {"HyperParameters": parameters, "InputDataConfig": channels}
        self.client.create_training_job(**request(name, BUCKET, image, **members))
        return str(settle(self.client, name)["ModelArtifacts"]["S3ModelArtifacts"])

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
