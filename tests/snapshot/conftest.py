"""Houses to take snapshots of, and to load them into."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.executors.stub import StubExecutor, StubRun
from emulator.house import House
from emulator.neighbours import HttpRequest

SCOPE = Scope("123456789012", "us-east-1")
ELSEWHERE = Scope("999988887777", "eu-west-1")
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::123456789012:role/x"


def call(house: House, operation: str, scope: Scope = SCOPE, service: str = "sagemaker", **params: Any) -> Any:
    return house.dispatch(Call(service, operation, params, scope))


def s3(house: House, operation: str, scope: Scope = SCOPE, **params: Any) -> Any:
    return call(house, operation, scope, "s3", **params)


def body(house: House, key: str, bucket: str = "bucket", **more: Any) -> bytes:
    found = s3(house, "GetObject", Bucket=bucket, Key=key, **more)["Body"]
    return found if isinstance(found, bytes) else b"".join(found)


def ssm(house: House, operation: str, **members: Any) -> dict[str, Any]:
    headers = {"x-amz-target": f"AmazonSSM.{operation}", "content-type": "application/x-amz-json-1.1"}
    request = HttpRequest("ssm", "POST", "/", "", headers, json.dumps(members).encode(), SCOPE)
    reply = house.neighbours.answer(request)
    assert reply.status == 200, reply.body
    assert isinstance(reply.body, bytes)
    found: dict[str, Any] = json.loads(reply.body)
    return found


def train(house: House, job: str = "job", **members: Any) -> None:
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}
    request = {
        "TrainingJobName": job,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    call(house, "CreateTrainingJob", **{**request, **members})


def deploy(house: House, name: str = "endpoint") -> None:
    call(house, "CreateModel", ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    call(house, "CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    call(house, "CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    until(lambda: status(house, name) == "InService")


def status(house: House, name: str = "endpoint") -> str:
    return str(call(house, "DescribeEndpoint", EndpointName=name)["EndpointStatus"])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def script(house: House, runs: Any) -> None:
    """What the programs of a house do."""
    house.executors._made["stub"] = StubExecutor(runs, house.clock)


MODEL = StubRun(lines=("epoch 1", "epoch 2"), files={"/opt/ml/model/model.txt": b"weights"})
ENDLESS = StubRun(delay=1e9)


def taken(house: House) -> bytes:
    with closing(house.snapshot()) as saving:
        return b"".join(saving)


def loaded(house: House, archive: bytes) -> dict[str, Any]:
    return house.load(io.BytesIO(archive))


def members(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(found: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name, content in found.items():
            zipped.writestr(name, content)
    return made.getvalue()


@pytest.fixture
def house() -> Iterator[House]:
    made = House.for_tests()
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[House]:
    made = House.for_tests()
    yield made
    made.close()
