"""A test suite that uses the fixtures, as a user's pytest runs it: how long it takes, and what the fixtures cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TESTS = 100

PROGRAM = """
import json, os, time

import pytest

from sagelet.server import Server

TIMES = {"start": [], "reset": []}


def timed(name, does):
    def measured(*given):
        began = time.perf_counter()
        try:
            return does(*given)
        finally:
            TIMES[name].append(time.perf_counter() - began)
    return measured


@pytest.fixture(scope="session", autouse=True)
def times():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "start", timed("start", Server.start))
        patch.setattr(Server, "reset", timed("reset", Server.reset))
        yield
    with open(os.environ["TIMES"], "w") as file:
        json.dump(TIMES, file)


IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROWS = "\\n".join(f"{n % 7},{n % 5},{n % 3}" for n in range(50)).encode()


@pytest.mark.parametrize("number", range(TESTS))
def test_a_tiny_model_is_trained(sagelet_reset, sagemaker_client, s3_client, number):
    s3_client.create_bucket(Bucket="rows")
    s3_client.put_object(Bucket="rows", Key="train/rows.csv", Body=ROWS)
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://rows/train"}
    sagemaker_client.create_training_job(
        TrainingJobName="tiny",
        RoleArn="arn:aws:iam::123456789012:role/r",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "2", "nthread": "1"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": "s3://rows/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    sagemaker_client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="tiny")
    told = sagemaker_client.describe_training_job(TrainingJobName="tiny")
    assert told["TrainingJobStatus"] == "Completed" and told["ModelArtifacts"]["S3ModelArtifacts"]
"""


@dataclass(frozen=True)
class Measured:
    """Seconds: of pytest as a whole, of the server's start, and of each reset."""

    whole: float
    start: float
    resets: tuple[float, ...]


def measure() -> Measured:
    """Run the suite once; `RuntimeError` with pytest's words when a test fails."""
    with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as name:
        folder = Path(name)
        (folder / "test_suite.py").write_text(PROGRAM.replace("TESTS", str(TESTS)))
        # As where there is no engine: with one that holds the image, each job would be a container of it.
        (folder / "pytest.ini").write_text("[pytest]\nsagelet_options = --executor process\n")
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
        began = time.perf_counter()
        environment = {**os.environ, "TIMES": str(folder / "times.json")}
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment)
        whole = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(done.stdout[-3000:] + done.stderr[-1000:])
        told = json.loads((folder / "times.json").read_text())
        return Measured(whole, told["start"][0], tuple(told["reset"]))
