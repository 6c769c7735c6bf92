"""The wheel: installed beside a project that has its own api/, emulator/ and algorithms/, it runs a job from there."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

JOB = """
import sys, boto3
sys.path.insert(0, ".")
import api, emulator, algorithms
assert api.MINE and emulator.MINE and algorithms.MINE
from sagelet.server import Server
with Server("data", ["--executor", "process"]) as server:
    session = boto3.Session("test", "test", region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=server.url)
    sagemaker = session.client("sagemaker", endpoint_url=server.url)
    s3.create_bucket(Bucket="wheel")
    s3.put_object(Bucket="wheel", Key="train/a.csv", Body=b"1,2\\n2,3\\n3,4\\n4,5\\n")
    sagemaker.create_training_job(
        TrainingJobName="from-the-wheel",
        AlgorithmSpecification={
            "TrainingImage": "1.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", "TrainingInputMode": "File"},
        HyperParameters={"num_round": "2"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://wheel/train"}}}],
        OutputDataConfig={"S3OutputPath": "s3://wheel/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        RoleArn="arn:aws:iam::123456789012:role/x",
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="from-the-wheel", WaiterConfig={"Delay": 1})
    print(sagemaker.describe_training_job(TrainingJobName="from-the-wheel")["TrainingJobStatus"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


def test_it_installs_one_name_only(wheel):
    names = {entry.split("/")[0] for entry in zipfile.ZipFile(wheel).namelist()}
    assert {n for n in names if not n.endswith(".dist-info")} == {"sagelet"}


def test_a_job_runs_from_inside_a_project_with_rooms_of_the_same_names(wheel, tmp_path):
    # Given a fresh environment with the wheel (its dependencies are those of this environment)
    environment = tmp_path / "env"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    # --no-deps keeps the test offline; a .pth lends it the dependencies that are installed here already
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel], check=True)
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    mine = Path(subprocess.run([python, "-c", purelib], check=True, capture_output=True, text=True).stdout.strip())
    here = Path(
        subprocess.run([sys.executable, "-c", purelib], check=True, capture_output=True, text=True).stdout.strip()
    )
    lent = mine / "lent"
    lent.mkdir()
    for entry in here.iterdir():
        if "sagelet" not in entry.name and entry.suffix != ".pth":
            (lent / entry.name).symlink_to(entry)
    (mine / "lent.pth").write_text(str(lent) + "\n")
    # And a project with its own api/, emulator/ and algorithms/
    project = tmp_path / "project"
    for room in ("api", "emulator", "algorithms"):
        (project / room).mkdir(parents=True)
        (project / room / "__init__.py").write_text("MINE = True\n")
    (project / "job.py").write_text(JOB)
    # When its program trains a model
    done = subprocess.run([python, "job.py"], cwd=project, capture_output=True, text=True, timeout=200, check=False)
    # Then the job has run, and the project's rooms are its own
    assert done.returncode == 0, done.stderr + (project / "data" / "server.log").read_text()
    assert done.stdout.split() == ["Completed"]


def test_what_it_declares_is_what_the_readme_promises(wheel):
    with zipfile.ZipFile(wheel) as packed:
        meta = next(n for n in packed.namelist() if n.endswith("METADATA"))
        text = packed.read(meta).decode()
    assert "Requires-Python: >=3.10" in text
    assert "Apache-2.0" in text
