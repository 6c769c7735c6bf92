"""Jobs of a user's own image through boto3: alone, as two hosts, and isolated; their own boto3 finds the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sagelet.server import Server
from tests.containers.test_container_images import SERVER, need

pytestmark = pytest.mark.docker
ROLE = "arn:aws:iam::123456789012:role/Any"
PROGRAM = """
import boto3, json, os, socket
hosts = json.load(open("/opt/ml/input/config/resourceconfig.json"))["hosts"]
print("hosts", len({socket.gethostbyname(host) for host in hosts}))
if "AWS_ENDPOINT_URL" in os.environ:
    s3 = boto3.client("s3")
    print(s3.get_object(Bucket="box", Key="given")["Body"].read().decode())
    s3.put_object(Bucket="box", Key="made/" + socket.gethostname(), Body=b"by the job")
    job = boto3.client("sagemaker").describe_training_job(TrainingJobName=os.environ["NAME"])
    print(job["TrainingJobStatus"])
else:
    print("no way out", "AWS_ACCESS_KEY_ID" in os.environ)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    need(SERVER).forget()  # an image that has boto3, and is none of ours for jobs
    with Server(tmp_path, ["--executor", "docker"]) as made:
        yield made


def client(server: Server, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="sagelet",
        aws_secret_access_key="sagelet", config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip


def train(
    server: Server, name: str, count: int, isolated: bool, meanwhile: Callable[[], None] = lambda: None
) -> dict[str, list[str]]:
    """The lines of each host's log."""
    sagemaker = client(server, "sagemaker")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://box/code/"}}
    sagemaker.create_training_job(
        TrainingJobName=name, RoleArn=ROLE, StoppingCondition={"MaxRuntimeInSeconds": 600}, Environment={"NAME": name},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1},
        AlgorithmSpecification={
            "TrainingImage": SERVER, "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/job.py"],
        },
        InputDataConfig=[{"ChannelName": "code", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": "s3://box/out"}, EnableNetworkIsolation=isolated,
    )  # fmt: skip
    meanwhile()
    sagemaker, logs = client(server, "sagemaker"), client(server, "logs")  # the server may be another one now
    end = time.monotonic() + 90
    while (job := sagemaker.describe_training_job(TrainingJobName=name))["TrainingJobStatus"] == "InProgress":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    return {
        stream["logStreamName"].split("/")[1][:6]: [
            event["message"]
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]
        for stream in streams
    }


def test_programs_of_a_user_s_own_image_find_each_other_and_the_server(server: Server) -> None:
    s3 = client(server, "s3")
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="given", Body=b"hello")
    s3.put_object(Bucket="box", Key="code/job.py", Body=PROGRAM.encode())

    assert train(server, "alone", 1, isolated=False)["algo-1"][-3:] == ["hosts 1", "hello", "InProgress"]
    assert s3.get_object(Bucket="box", Key="made/algo-1")["Body"].read() == b"by the job"

    both = train(server, "pair", 2, isolated=False)
    assert {host: lines[-3:] for host, lines in both.items()} == {
        host: ["hosts 2", "hello", "InProgress"] for host in ("algo-1", "algo-2")
    }

    shut = train(server, "shut", 2, isolated=True)
    assert {host: lines[-2:] for host, lines in shut.items()} == {
        host: ["hosts 2", "no way out False"] for host in ("algo-1", "algo-2")
    }


LASTING = """
import boto3, time
s3 = boto3.client("s3")
s3.put_object(Bucket="box", Key="began", Body=b"")
while True:
    try: print(s3.get_object(Bucket="box", Key="go")["Body"].read().decode()); break
    except Exception: time.sleep(0.1)
"""


def test_a_job_s_own_boto3_finds_the_next_server_too(server: Server) -> None:
    s3 = client(server, "s3")
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="code/job.py", Body=LASTING.encode())

    def restart() -> None:
        s3.get_waiter("object_exists").wait(Bucket="box", Key="began", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        server.kill()
        server.start()
        client(server, "s3").put_object(Bucket="box", Key="go", Body=b"hello again")

    assert train(server, "lasting", 1, isolated=False, meanwhile=restart)["algo-1"][-1] == "hello again"
