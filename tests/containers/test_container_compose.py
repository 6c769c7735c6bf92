"""The server in a container with the engine's socket, as in docker-compose.yml: its jobs run beside it."""

from __future__ import annotations

import io
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from emulator.executors.docker_engine import Engine
from emulator.executors.docker_labels import DATA_LABEL
from tests.containers.test_container_images import SERVER, XGBOOST, need

pytestmark = pytest.mark.docker
SOCKET = Path("/var/run/docker.sock")
ROLE = "arn:aws:iam::123456789012:role/Any"
ONE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


class Composed:
    """The server's container; boto3 reaches it on the port that it listens on inside, too."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = f"sagelet-test-{uuid.uuid4().hex[:8]}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.volume = engine.client().volumes.create(self.name)
        self.container: Any = engine.client().containers.run(
            SERVER,
            ["up", "--host", "0.0.0.0", "--port", str(self.port), "--data-dir", "/data", "--executor", "docker"],
            name=self.name, detach=True, init=True, cap_drop=["ALL"], security_opt=["no-new-privileges"],
            group_add=[SOCKET.stat().st_gid], ports={f"{self.port}/tcp": ("127.0.0.1", self.port)},
            volumes={self.name: {"bind": "/data"}, str(SOCKET): {"bind": str(SOCKET)}},
        )  # fmt: skip

    def boto3(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id="sagelet", aws_secret_access_key="sagelet",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def ready(self) -> None:
        end = time.monotonic() + 60
        while self.container.exec_run(["sagelet", "status", "--data-dir", "/data"]).exit_code:
            assert time.monotonic() < end, self.container.logs().decode()
            time.sleep(0.2)

    def runs(self) -> list[str]:
        mark = f"{DATA_LABEL}={self.volume.attrs['Mountpoint']}"
        client = self.engine.client()
        found = [
            *client.containers.list(all=True, ignore_removed=True, filters={"label": mark}),
            *client.networks.list(filters={"label": mark}),
        ]
        return [str(one.name) for one in found]

    def end(self) -> None:
        self.container.remove(force=True, v=True)
        left = self.runs()
        for container in self.engine.client().containers.list(all=True, ignore_removed=True):
            if container.name in left:
                container.remove(force=True)
        for network in self.engine.client().networks.list():
            if network.name in left:
                network.remove()
        self.volume.remove(force=True)
        assert left == []


@pytest.fixture
def composed() -> Iterator[Composed]:
    engine = need(SERVER)
    need("sagelet/xgboost").forget()
    if not SOCKET.is_socket():
        pytest.skip(f"no engine's socket at {SOCKET}")
    made = Composed(engine)
    try:
        made.ready()
        yield made
    finally:
        made.end()
        engine.forget()


def until(true: Any, what: str) -> None:
    end = time.monotonic() + 90
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def test_jobs_and_endpoints_of_a_server_in_a_container(composed: Composed) -> None:
    sagemaker, s3, runtime = (composed.boto3(name) for name in ("sagemaker", "s3", "sagemaker-runtime"))
    s3.create_bucket(Bucket="box")
    s3.upload_fileobj(io.BytesIO(b"".join(b"%d,%d\n" % (2 * n, n) for n in range(100))), "box", "train/rows.csv")
    channel = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://box/train"}}
    sagemaker.create_training_job(
        TrainingJobName="inside", RoleArn=ROLE, ResourceConfig=ONE, StoppingCondition={"MaxRuntimeInSeconds": 600},
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "5", "objective": "reg:squarederror"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": channel}],
        OutputDataConfig={"S3OutputPath": "s3://box/out"},
    )  # fmt: skip
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="inside", WaiterConfig={"Delay": 1, "MaxAttempts": 90}
    )
    job = sagemaker.describe_training_job(TrainingJobName="inside")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")

    model = {"Image": XGBOOST, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    for name, isolated in (("open", False), ("closed", True)):
        sagemaker.create_model(
            ModelName=name, PrimaryContainer=model, ExecutionRoleArn=ROLE, EnableNetworkIsolation=isolated
        )
        variant = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def invoke(name: str) -> float:
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"50")
        return float(answer["Body"].read())

    def in_service(name: str) -> bool:
        told = sagemaker.describe_endpoint(EndpointName=name)
        assert told["EndpointStatus"] in ("Creating", "InService"), told
        return bool(told["EndpointStatus"] == "InService")

    for name in ("open", "closed"):
        until(lambda name=name: in_service(name), f"{name} does not come into service")
        assert 50 < invoke(name) < 150
    before = composed.runs()

    composed.container.kill("SIGKILL")
    composed.container.start()
    composed.ready()
    for name in ("open", "closed"):
        until(lambda name=name: in_service(name), f"{name} does not come back")
        assert 50 < invoke(name) < 150
    assert composed.runs() == before, "the containers were adopted, not replaced"

    for name in ("open", "closed"):
        sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: composed.runs() == [], "something is left")
