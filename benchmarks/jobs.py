"""What jobs cost beyond the program itself: until a script runs, around a container, for a large channel."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.rows import ROLE, Figures, boto

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SCRIPT = (
    'import os, time\nopen(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "began"), "w").write(repr(time.time()))\n'
)
IMAGE = os.environ.get("BENCH_IMAGE", "sagelet/base:bookworm")
"""Of the container row: any image that the engine has and that has /bin/true."""

CHANNEL_GIB = float(os.environ.get("BENCH_CHANNEL_GIB", "2"))
FILES = 16


class Scripts:
    """A server with one script in S3, after one job of it, so that the family is warm."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.server = stack.enter_context(servers.sagelet(None, "--executor", "process"))
        servers.first_answers(self.server)
        self.client, self.s3 = boto(self.server.url, "sagemaker"), boto(self.server.url, "s3")
        self.s3.create_bucket(Bucket="scripts")
        self.s3.put_object(Bucket="scripts", Key="sourcedir.tar.gz", Body=archived("train.py", SCRIPT.encode()))
        self.number = 0
        self._job()

    def measure(self) -> list[Figures]:
        """Seconds from the answer of CreateTrainingJob to the first statement of the script, and of a bare script."""
        began = time.time()
        told = subprocess.run(
            [sys.executable, "-c", "import time; print(time.time())"], capture_output=True, check=True
        )
        return [(self._job(), float(told.stdout) - began)]

    def _job(self) -> float:
        self.number += 1
        name = f"script-{self.number}"
        parameters = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://scripts/sourcedir.tar.gz"}
        self.client.create_training_job(**request(name, "scripts", SKLEARN, HyperParameters=parameters))
        accepted = time.time()
        settle(self.client, name)
        packed = self.s3.get_object(Bucket="scripts", Key=f"out/{name}/output/output.tar.gz")["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            file = tar.extractfile("began")
            assert file is not None
            return float(file.read()) - accepted


class Containers:
    """A server that runs a program that does nothing in a container, and `docker run` of the same."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.server = stack.enter_context(servers.sagelet(None, "--executor", "docker"))
        servers.first_answers(self.server)
        self.client = boto(self.server.url, "sagemaker")
        boto(self.server.url, "s3").create_bucket(Bucket="boxes")
        self.number = 0
        self.measure()

    @staticmethod
    def possible() -> bool:
        """Whether an engine answers and has the image."""
        if shutil.which("docker") is None:
            return False
        return subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode == 0

    def measure(self) -> list[Figures]:
        """Seconds of CreateTrainingJob -> Completed, and of `docker run`."""
        self.number += 1
        name = f"box-{self.number}"
        began = time.perf_counter()
        self.client.create_training_job(**request(name, "boxes", IMAGE, entrypoint=["/bin/true"]))
        settle(self.client, name)
        mine = time.perf_counter() - began
        began = time.perf_counter()
        subprocess.run(["docker", "run", "--rm", "--entrypoint", "/bin/true", IMAGE], check=True, capture_output=True)
        return [(mine, time.perf_counter() - began)]


class Channel:
    """A channel of CHANNEL_GIB in File mode, and `cp -r` of the same files."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (self.folder / "files").mkdir()
        self.server = stack.enter_context(servers.sagelet(str(self.folder / "data"), "--executor", "stub"))
        servers.first_answers(self.server)
        self.client, s3 = boto(self.server.url, "sagemaker"), boto(self.server.url, "s3")
        s3.create_bucket(Bucket="large")
        block = os.urandom(1 << 20)
        for number in range(FILES):
            path = self.folder / "files" / f"part-{number:02}"
            with path.open("wb") as file:
                for _ in range(int(CHANNEL_GIB * 1024 / FILES)):
                    file.write(block)
            s3.upload_file(str(path), "large", f"in/part-{number:02}")
        self.number = 0
        self.grown = 0.0

    def measure(self) -> list[Figures]:
        """Seconds of the phase Downloading, and of `cp -r`; how far the server has grown meanwhile is remembered."""
        self.number += 1
        name = f"large-{self.number}"
        before = self.server.memory()
        source = {"S3DataType": "S3Prefix", "S3Uri": "s3://large/in", "S3DataDistributionType": "FullyReplicated"}
        channels = [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]
        self.client.create_training_job(**request(name, "large", SKLEARN, InputDataConfig=channels))
        job = settle(self.client, name)
        self.grown = max(self.grown, self.server.memory() - before)
        phases = {t["Status"]: t for t in job["SecondaryStatusTransitions"]}
        mine = (phases["Downloading"]["EndTime"] - phases["Downloading"]["StartTime"]).total_seconds()
        began = time.perf_counter()
        subprocess.run(["cp", "-r", str(self.folder / "files"), str(self.folder / "copy")], check=True)
        theirs = time.perf_counter() - began
        shutil.rmtree(self.folder / "copy")
        return [(mine, theirs)]


def archived(name: str, content: bytes) -> bytes:
    """A tar.gz with one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def request(name: str, bucket: str, image: str, entrypoint: list[str] | None = None, **members: Any) -> dict[str, Any]:
    """A CreateTrainingJob request without inputs."""
    algorithm: dict[str, Any] = {"TrainingImage": image, "TrainingInputMode": "File"}
    if entrypoint:
        algorithm["ContainerEntrypoint"] = entrypoint
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": algorithm,
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **members,
    }


def settle(client: Any, name: str, pause: float = 0.005) -> dict[str, Any]:
    """Wait until the job is over; it must have completed. One who looks often takes most of a core from the job."""
    while True:
        job: dict[str, Any] = client.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] == "Completed":
            return job
        if job["TrainingJobStatus"] != "InProgress":
            raise SystemExit(f"{name} {job['TrainingJobStatus']}: {job.get('FailureReason')}")
        time.sleep(pause)
