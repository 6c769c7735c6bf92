"""The wheel, in an environment that also holds a project with packages api, emulator, algorithms and tests.

Jobs run from there, the project's own tests have the fixtures, and uninstalling takes nothing of the project's.
"""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROOMS = ("api", "emulator", "algorithms", "tests")

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "project"
version = "1"
[tool.hatch.build.targets.wheel]
packages = ["api", "emulator", "algorithms", "tests"]
"""

SUITE = """
import api

def test_fixtures(sagelet_reset, sagemaker_client, s3_client):
    assert api.MINE and sagemaker_client.list_training_jobs()["TrainingJobSummaries"] == []
    s3_client.create_bucket(Bucket="mine")
    assert "mine" in [b["Name"] for b in s3_client.list_buckets()["Buckets"]]
"""

JOB = """
import boto3, api, emulator, algorithms, tests
assert api.MINE and emulator.MINE and algorithms.MINE and tests.MINE
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


@pytest.fixture(scope="module")
def purelib(tmp_path_factory) -> Path:
    """The site-packages of a new environment that borrows the libraries of this one, but not where the checkout is."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=True)
    [mine] = environment.glob("lib/python3*/site-packages")
    # What the .pth files in there say, among it where the checkout is, is not read.
    (mine / "lent.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")) + "\n")
    return mine


@pytest.fixture(scope="module")
def project(wheel, purelib, tmp_path_factory) -> Path:
    """A project whose packages are called as our rooms are, installed beside the wheel."""
    folder = tmp_path_factory.mktemp("project")
    for room in ROOMS:
        (folder / room).mkdir()
        (folder / room / "__init__.py").write_text("MINE = True\n")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "tests" / "test_mine.py").write_text(SUITE)
    (folder / "job.py").write_text(JOB)
    for what in (folder, wheel):
        # Without --no-deps and --no-index the test would need the network.
        run(purelib, folder, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation", what)
    return folder


def run(purelib: Path, folder: Path, *words: object) -> str:
    """What the environment's Python says to these words, started in the project's folder."""
    python = purelib.parents[2] / "bin" / "python"
    done = subprocess.run(
        [python, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )
    log = folder / "data" / "server.log"
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")
    return done.stdout


def test_it_installs_one_name_only(wheel):
    names = {entry.split("/")[0] for entry in zipfile.ZipFile(wheel).namelist()}
    assert {n for n in names if not n.endswith(".dist-info")} == {"sagelet"}


def test_a_job_runs_from_inside_a_project_with_rooms_of_the_same_names(project, purelib):
    assert run(purelib, project, "job.py").split() == ["Completed"]


def test_the_project_s_own_tests_have_the_fixtures(project, purelib):
    told = run(purelib, project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert "1 passed" in told, told


def test_the_command_and_the_module_are_the_wheel_s(project, purelib):
    script = purelib.parents[2] / "bin" / "sagelet"
    assert run(purelib, project, script, "version") == run(purelib, project, "-m", "sagelet", "version") != ""
    where = run(purelib, project, "-c", "from sagelet import places; print(places.rooms())").strip()
    assert Path(where) == purelib / "sagelet" / "_rooms"


def test_uninstalling_it_takes_nothing_of_the_project_s(project, purelib):
    files = [folder / room / "__init__.py" for folder in (project, purelib) for room in ROOMS]
    assert all(file.exists() for file in files) and (purelib / "sagelet").exists()
    run(purelib, project, "-m", "pip", "uninstall", "-q", "-y", "sagelet")
    assert all(file.exists() for file in files) and not (purelib / "sagelet").exists()


def test_what_it_declares_is_what_the_readme_promises(wheel):
    with zipfile.ZipFile(wheel) as packed:
        meta = next(n for n in packed.namelist() if n.endswith("METADATA"))
        text = packed.read(meta).decode()
    assert "Requires-Python: >=3.10" in text
    assert "Apache-2.0" in text
