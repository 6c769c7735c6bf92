"""Unchanged programs on the server: activated in Python, by `sagelet run`, and in a suite of somebody else's."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import boto3
import pytest

import sagelet
from sagelet.places import DEFAULT_PORT, NoServer

PROGRAM = """
import boto3, time
sts = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com")
print(sts.get_caller_identity()["Account"], boto3.client("sagemaker").list_models()["Models"])
"""


@pytest.fixture
def elsewhere(monkeypatch):
    """A shell that points at AWS, with a profile."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "of-the-company")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")


def identity():
    return boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com", region_name="eu-west-1")


def test_a_block_is_activated_and_everything_is_restored(elsewhere, tmp_path):
    before = dict(os.environ)
    with sagelet.running(tmp_path / "data", "--executor", "stub") as server:
        assert identity().get_caller_identity()["Account"] == "123456789012"
        client = boto3.client("sagemaker")
        assert client.meta.endpoint_url == server.url
        told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
        assert told.stdout.split() == ["123456789012", "[]"], told.stderr
        client.create_notebook_instance(
            NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn="arn:aws:iam::123456789012:role/r"
        )
        began = time.monotonic()
        client.get_waiter("notebook_instance_in_service").wait(NotebookInstanceName="n")
        assert time.monotonic() - began < 10, "botocore's own waiter sleeps 30 s"
    assert dict(os.environ) == before
    os.environ.pop("AWS_PROFILE")
    assert identity().meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    os.environ["AWS_PROFILE"] = "of-the-company"


def test_a_block_keeps_nothing_of_its_own(elsewhere):
    with sagelet.running(None, "--executor", "stub") as server:
        folder = server.data_dir
        assert folder.is_dir()
    assert not folder.exists()


def test_who_activates_without_a_server_is_told(elsewhere, monkeypatch):
    monkeypatch.delenv("HTTP_PROXY")
    before = dict(os.environ)
    with pytest.raises(NoServer, match="sagelet up"):
        sagelet.activate("http://127.0.0.1:9")
    assert dict(os.environ) == before


def run(*words, data_dir, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "sagelet", "run", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SAGELET_DATA_DIR": str(data_dir), "SAGELET_EXECUTOR": "stub", **more},
    )


def test_a_command_is_run_with_a_server_of_its_own(elsewhere, tmp_path):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", DEFAULT_PORT)) == 0:
            pytest.skip("a server of somebody's runs at the default port")
    told, errors = (program := run("--", sys.executable, "-c", PROGRAM, data_dir=tmp_path)).communicate(timeout=60)
    assert (program.returncode, told.split()) == (0, ["123456789012", "[]"]), errors
    assert "started a server" in errors


@pytest.mark.parametrize(
    ("command", "status"), [(["false"], 1), (["bash", "-c", "kill -9 $$"], 137), (["no-such-command"], 127), ([], 2)]
)
def test_the_exit_status_is_that_of_the_command(client, command, status, tmp_path):
    program = run("--data-dir", str(client.server.data_dir), "--", *command, data_dir=tmp_path)
    program.communicate(timeout=60)
    assert program.returncode == status


def test_an_interrupt_reaches_the_command_which_may_tidy_up(client, tmp_path):
    wait = "import time\ntry:\n    print('on', flush=True)\n    time.sleep(30)\n"
    script = wait + "except KeyboardInterrupt:\n    print('tidied')"
    words = ["--data-dir", str(client.server.data_dir), "--", sys.executable, "-c", script]
    program = subprocess.Popen(
        [sys.executable, "-m", "sagelet", "run", *words],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whoever runs the tests may ignore it
    )
    assert program.stdout is not None and program.stdout.readline() == "on\n"
    os.killpg(program.pid, signal.SIGINT)
    assert program.communicate(timeout=60)[0] == "tidied\n" and program.returncode == 0


SUITE = """
import boto3, os, pytest, time

ROLE = "arn:aws:iam::123456789012:role/r"
MODEL = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1"}}

def test_one(sagelet_reset, sagemaker_client):
    sagemaker_client.create_model(ModelName="m", **MODEL)
    assert len(boto3.client("sagemaker").list_models()["Models"]) == 1

def test_two(sagelet_reset, sagemaker_client, s3_client):
    assert sagemaker_client.list_models()["Models"] == []
    assert boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com").get_caller_identity()

def test_three(sagelet_server, sagemaker_runtime):
    with pytest.raises(sagemaker_runtime.exceptions.ClientError, match="not found"):
        sagemaker_runtime.invoke_endpoint(EndpointName="nobody", Body=b"1")
"""


def test_a_suite_of_somebody_elses_uses_the_fixtures(elsewhere, tmp_path):
    (tmp_path / "test_theirs.py").write_text(textwrap.dedent(SUITE))
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    told = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert "3 passed" in told.stdout, told.stdout + told.stderr
