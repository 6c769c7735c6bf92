"""A real server process, real boto3 clients, and the few steps that every journey takes."""

from __future__ import annotations

import io
import itertools
import tarfile
import time
import zipfile
from pathlib import Path

import boto3
import numpy as np
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from sagelet.server import Server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A journey that is marked with operations must really issue them: docs/coverage.md links to it for them."""
    marks = list(item.iter_markers("proves"))
    if not marks:
        return (yield)
    issued = set()
    issue = BaseClient._make_api_call

    def note(client, operation, params):
        answer = issue(client, operation, params)
        service = client.meta.service_model.service_name
        issued.add(operation if service == "sagemaker" else f"{service}.{operation}")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", note)
        result = yield
    missing = {operation for mark in marks for operation in mark.args} - issued
    assert not missing, f"the journey is marked with {sorted(missing)}, and no such call has succeeded"
    return result


ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NUMBERS = itertools.count(1)


class Client:
    """boto3 against one server, with waiting at a test's pace."""

    def __init__(self, server: Server):
        self.server = server
        self.session = boto3.Session("test", "test", region_name="us-east-1")
        self.sagemaker = self.of("sagemaker")
        self.runtime = self.of("sagemaker-runtime")
        self.s3 = self.of("s3")
        self.logs = self.of("logs")

    def of(self, service: str, **more):
        config = Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=100)
        return self.session.client(service, endpoint_url=self.server.url, config=config, **more)

    def name(self, stem: str) -> str:
        return f"{stem}-{next(NUMBERS)}"

    def bucket(self) -> str:
        name = self.name("bucket")
        self.s3.create_bucket(Bucket=name)
        return name

    def train(self, bucket: str, *, job: str | None = None, wait: bool = True, **changes) -> dict:
        """Start a training job on `s3://bucket/train` and, unless told not to, wait until it settles."""
        job = job or self.name("job")
        request = training_request(job, bucket)
        request.update(changes)
        self.sagemaker.create_training_job(**request)
        if not wait:
            return {"TrainingJobName": job}
        return self.settle(lambda: self.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")

    def deploy(self, model_data: str, image: str = IMAGE, *, endpoint: str | None = None, **container) -> str:
        """A model, its configuration and an endpoint of the same name, in service."""
        endpoint = endpoint or self.name("endpoint")
        primary = {"Image": image, "ModelDataUrl": model_data, **container}
        self.sagemaker.create_model(ModelName=endpoint, PrimaryContainer=primary, ExecutionRoleArn=ROLE)
        self.configure(endpoint, [variant("all", endpoint)])
        self.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
        self.in_service(endpoint)
        return endpoint

    def configure(self, name: str, variants: list[dict]) -> None:
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)

    def in_service(self, endpoint: str, wanted: str = "InService") -> dict:
        answer = self.settle(lambda: self.sagemaker.describe_endpoint(EndpointName=endpoint), "EndpointStatus")
        assert answer["EndpointStatus"] == wanted, answer.get("FailureReason")
        return answer

    def invoke(self, endpoint: str, body, content_type: str = "text/csv", **more) -> str:
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, **more)
        return answer["Body"].read().decode()

    def until_gone(self, describe, seconds: float = 30.0) -> None:
        """Wait until what `describe` asks for is no longer there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                describe()
            except ClientError:
                return
            time.sleep(0.05)
        raise AssertionError(f"still there after {seconds} s")

    def settle(self, describe, member: str, seconds: float = 120.0) -> dict:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = describe()
            if answer[member] not in ("InProgress", "Stopping", "Creating", "Updating", "Deleting"):
                return answer
            time.sleep(0.05)
        raise AssertionError(f"not settled within {seconds} s: {answer}")

    def until(self, describe, *wanted: str, seconds: float = 20.0) -> dict:
        """The answer that has one of these words as a value."""
        end = time.monotonic() + seconds
        while True:
            answer = describe()
            if any(value in wanted for value in answer.values() if isinstance(value, str)):
                return answer
            assert time.monotonic() < end, f"not {wanted} within {seconds} s: {answer}"
            time.sleep(0.01)

    def text(self, bucket: str, key: str) -> str:
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def variant(name: str, model: str, weight: float = 1.0, count: int = 1) -> dict:
    return {
        "VariantName": name,
        "ModelName": model,
        "InitialInstanceCount": count,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": weight,
    }


def channel(bucket: str, name: str = "train", content_type: str = "text/csv") -> dict:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{bucket}/{name}",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "ContentType": content_type, "DataSource": {"S3DataSource": source}}


def training_request(job: str, bucket: str) -> dict:
    return {
        "TrainingJobName": job,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"num_round": "10", "objective": "reg:squarederror", "max_depth": "4", "nthread": "1"},
        "InputDataConfig": [channel(bucket)],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def table(rows: int = 400, seed: int = 5) -> np.ndarray:
    """Rows of a label and three features, to four digits, so that CSV loses nothing."""
    features = np.random.default_rng(seed).uniform(-1, 1, (rows, 3)).round(4)
    label = (3 * features[:, 0] - 2 * features[:, 1] + features[:, 2] ** 2).round(4)
    return np.column_stack([label, features])


def csv(rows: np.ndarray) -> bytes:
    return "\n".join(",".join(repr(float(v)) for v in row) for row in rows).encode() + b"\n"


def archive(files: dict[str, bytes]) -> bytes:
    """A model.tar.gz made by plain tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def wheel(name: str, word: str) -> bytes:
    """A package of one module, as pip takes it without any index."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr(f"{name}.py", f"WORD = {word!r}\n")
        made.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        made.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return packed.getvalue()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("journeys"), ["--executor", "process"]) as running:
        yield running


@pytest.fixture
def client(server) -> Client:
    return Client(server)


@pytest.fixture(scope="session")
def stub_server(tmp_path_factory):
    """A server for journeys in which no program runs; statuses that move by themselves do so quickly."""
    folder = tmp_path_factory.mktemp("records")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGELET_SETTLE_SECONDS", "0.02")
        server = Server(folder, ["--executor", "stub"]).start()
    yield server
    server.stop()
    log = (folder / "server.log").read_text()
    assert "Traceback" not in log and " ERROR " not in log, log[-3000:]


@pytest.fixture
def records(stub_server) -> Client:
    """boto3 against that server."""
    return Client(stub_server)


@pytest.fixture
def own_server(tmp_path: Path):
    """A server of the test's own, which it may kill: start it with `.start()`."""
    server = Server(tmp_path / "data", ["--executor", "process"])
    yield server
    server.stop()


@pytest.fixture
def training_data(client) -> str:
    """A bucket with 400 rows of CSV under train/."""
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    return bucket
