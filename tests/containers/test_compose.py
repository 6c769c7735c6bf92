"""docker-compose.yml as a user starts it: healthy, on loopback alone, without root, and its state outlives it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from emulator.executors.docker_engine import Engine
from tests.containers.test_container_images import SERVER, XGBOOST, need

pytestmark = pytest.mark.docker
FILE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
ROLE = "arn:aws:iam::123456789012:role/Any"


def command() -> list[str]:
    """Compose as it is installed here: the plugin of docker, or the program of its own."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if not shutil.which("docker-compose"):
        missing = "neither `docker compose` nor docker-compose is installed: apt install docker-compose"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return ["docker-compose"]


class Composed:
    """A project of its own name, volume and port, so that a user's is not touched."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.command, self.name = engine, command(), f"sagelet-test-{uuid.uuid4().hex[:8]}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def __call__(self, *words: str) -> None:
        words = (*self.command, "--file", str(FILE), "--project-name", self.name, *words)
        done = subprocess.run(
            words, env={**os.environ, "SAGELET_PORT": str(self.port)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def container(self) -> Any:
        mark = f"com.docker.compose.project={self.name}"
        [found] = self.engine.client().containers.list(filters={"label": mark})
        return found

    def healthy(self) -> Any:
        """The container, once its own health check says so."""
        end = time.monotonic() + 120
        while (found := self.container()).attrs["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < end, found.logs().decode()
            time.sleep(0.5)
        return found

    def boto3(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id="sagelet", aws_secret_access_key="sagelet",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )  # fmt: skip


@pytest.fixture
def composed() -> Iterator[Composed]:
    engine = need(SERVER)
    made = Composed(engine)
    try:
        made("up", "-d", "--no-build", "sagelet")
        yield made
    finally:
        made("down", "--volumes")
        engine.forget()


def train(composed: Composed, job: str) -> dict[str, Any]:
    sagemaker = composed.boto3("sagemaker")
    channel = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://box/train"}}
    sagemaker.create_training_job(
        TrainingJobName=job, RoleArn=ROLE, StoppingCondition={"MaxRuntimeInSeconds": 600},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "5", "objective": "reg:squarederror"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": channel}],
        OutputDataConfig={"S3OutputPath": "s3://box/out"},
    )  # fmt: skip
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=job, WaiterConfig={"Delay": 1, "MaxAttempts": 90}
    )
    return sagemaker.describe_training_job(TrainingJobName=job)


def test_the_server_that_compose_starts(composed: Composed) -> None:
    container = composed.healthy()
    assert container.exec_run(["id", "-u"]).output.strip() == b"1000"
    published = [one for each in container.attrs["NetworkSettings"]["Ports"].values() for one in each or ()]
    assert [(one["HostIp"], one["HostPort"]) for one in published] == [("127.0.0.1", str(composed.port))]
    assert [mount["Destination"] for mount in container.attrs["Mounts"]] == ["/data"]

    s3 = composed.boto3("s3")
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="train/rows.csv", Body=b"".join(b"%d,%d\n" % (2 * n, n) for n in range(100)))
    job = train(composed, "first")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    tags = composed.boto3("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {"Key": "sagelet:executor", "Value": "process"} in tags

    def all_is_there() -> bool:
        told = composed.boto3("sagemaker").describe_training_job(TrainingJobName="first")
        bucket, _, key = told["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
        return bool(composed.boto3("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    composed("restart")
    composed.healthy()
    assert all_is_there()
    composed("down")
    composed("up", "-d", "--no-build", "sagelet")
    composed.healthy()
    assert all_is_there()
