"""The pytest plugin in suites of somebody else's: its marker, options of the server, the workers of pytest-xdist."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sagelet.places import NoServer, ask


def suite(folder: Path, tests: str, *options: str, configuration: str = "", **environment: str) -> str:
    """What pytest says of a suite in a folder of its own."""
    (folder / "test_theirs.py").write_text(textwrap.dedent(tests))
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = --strict-markers\n{configuration}")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)]
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=folder, timeout=120, env={**mine, "PYTHONPATH": "", **environment}
    )
    return done.stdout + done.stderr


MARKED = """
import boto3, pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from sagelet import places

ONCE = Config(retries={"total_max_attempts": 1})
ROLE = "arn:aws:iam::123456789012:role/r"

@pytest.fixture
def models():
    return boto3.client("sagemaker", config=ONCE).list_models()["Models"]  # no fault of the test strikes a fixture

@pytest.mark.sagelet_fault("throttle", operation="ListModels", times=1)
@pytest.mark.sagelet_fault("error", operation="ListEndpoints", code="InternalFailure", status=500)
def test_struck(models, sagelet_reset):
    client = boto3.client("sagemaker", config=ONCE)
    with pytest.raises(ClientError, match="ThrottlingException"):
        client.list_models()
    assert client.list_models()["Models"] == models
    with pytest.raises(ClientError, match="InternalFailure"):
        client.list_endpoints()

def test_not_struck(sagemaker_client, sagelet_server):
    assert places.ask(sagelet_server.url, "/_sagelet/faults") == {"faults": []}
    assert places.ask(sagelet_server.url, "/_sagelet/status")["executor"] == "stub"

@pytest.mark.sagelet_fault("drought")
def test_kind(): ...

@pytest.mark.sagelet_fault("throttle", often=3)
def test_member(): ...

@pytest.mark.sagelet_fault()
def test_nothing(): ...
"""


def test_a_marked_test_is_struck_and_what_is_wrong_in_a_marker_is_named(tmp_path):
    told = suite(tmp_path, MARKED, configuration="sagelet_options = --executor stub\n")
    assert "2 passed" in told and "3 failed" in told, told
    assert "kind is 'drought'; it must be one of latency, throttle, error, capacity" in told
    assert "'often' is unknown here. Known are: kind, service, operation" in told
    assert "@pytest.mark.sagelet_fault takes one kind and then names" in told


SHARED = """
import json, os, time
from pathlib import Path

import boto3, pytest
from sagelet import places, testing

MEETING = Path(os.environ["MEETING"])
ROLE = "arn:aws:iam::123456789012:role/r"
MODEL = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1"}}

def meet(where, worker):
    (MEETING / f"{where}-{worker}").touch()
    while len(list(MEETING.glob(f"{where}-*"))) < 2:
        time.sleep(0.01)

@pytest.mark.sagelet_fault("throttle", operation="ListEndpoints")
def test_each_is_alone(sagelet_reset, sagemaker_client, s3_client, worker_id):
    server = sagelet_reset
    account = boto3.client("sts").get_caller_identity()["Account"]
    assert account == server.account == server.env["AWS_ACCESS_KEY_ID"]
    sagemaker_client.create_model(ModelName="mine", **MODEL)
    with testing.endpoint("same", lambda request: worker_id):
        meet("made", worker_id)
        faults = places.ask(server.url, "/_sagelet/faults")["faults"]
        assert sorted(fault["account"] for fault in faults) == ["100000000000", "100000000001"]
        answer = boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName="same", Body=b"")
        assert answer["Body"].read().decode() == worker_id
        meet("seen", worker_id)
        if worker_id == "gw0":
            server.reset()
        meet("emptied", worker_id)
        there = [model["ModelName"] for model in sagemaker_client.list_models()["Models"]]
        assert there == ([] if worker_id == "gw0" else ["same", "mine"])
        meet("over", worker_id)
    with pytest.raises(RuntimeError, match="share this server"):
        server.kill()
    told = {"pid": server.pid, "url": server.url, "account": account, "folder": str(server.data_dir)}
    (MEETING / f"told-{worker_id}").write_text(json.dumps(told))
"""


def test_the_workers_of_xdist_share_a_server_and_have_an_account_each(tmp_path):
    pytest.importorskip("xdist")
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    folder = tmp_path / "suite"
    folder.mkdir()
    options = ["-p", "xdist", "--tx", "2*popen", "--dist", "each"]
    told = suite(folder, SHARED, *options, MEETING=str(meeting), TMPDIR=str(tmp_path))
    assert "2 passed" in told, told
    zero, one = (json.loads((meeting / f"told-gw{n}").read_text()) for n in (0, 1))
    assert (zero["pid"], zero["folder"]) == (one["pid"], one["folder"])
    assert (zero["account"], one["account"]) == ("100000000000", "100000000001")
    assert not Path(zero["folder"]).exists()
    with pytest.raises(NoServer):
        ask(zero["url"], "/_sagelet/health")
