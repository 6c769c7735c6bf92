"""boto3's own waiters, in a program that nothing was done for: they return with what they wait for."""

from __future__ import annotations

import time

import boto3
import pytest

from sagelet.server import Server
from tests.journeys.conftest import ROLE


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("data"), ["--executor", "process"]) as server:
        named = {"endpoint_url": server.url, "aws_access_key_id": "a", "aws_secret_access_key": "b"}
        boto3.client("s3", "us-east-1", **named).create_bucket(Bucket="waited")
        yield boto3.client("sagemaker", "us-east-1", **named)


def test_a_training_job_s_waiter_returns_with_the_job(client, monkeypatch) -> None:
    """It would sleep 120 seconds after its first look."""
    monkeypatch.setattr("botocore.waiter.time.sleep", lambda seconds: pytest.fail(f"it slept {seconds} seconds"))
    client.create_training_job(
        TrainingJobName="short",
        AlgorithmSpecification={
            "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
            "TrainingInputMode": "File",
        },
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://waited/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    with pytest.raises(Exception, match="Waiter TrainingJobCompletedOrStopped failed: Waiter encountered a terminal"):
        client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="short")
    told = client.describe_training_job(TrainingJobName="short")
    assert told["TrainingJobStatus"] == "Failed" and "sagemaker_program" in told["FailureReason"], told
    assert time.time() - told["TrainingEndTime"].timestamp() < 2
