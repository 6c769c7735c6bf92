"""A server that is not root, and programs that are: what they wrote is read, stored and removed all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.journeys.docker_box import Box, WeakServer, own_image, until

pytestmark = pytest.mark.docker
SHUT = """
import os
os.umask(0)
def shut(folder):
    os.makedirs(folder, 0o700); os.chmod(folder, 0o700)
    os.close(os.open(folder + '/file', os.O_CREAT | os.O_WRONLY, 0o600)); open(folder + '/file', 'w').write('f')
"""
CHANNEL = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://box/data/"}}


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as made:
        made.setenv("SAGELET_STOP_GRACE", "1")
        made.setenv("SAGELET_SYNC_SECONDS", "0.1")
        made.setenv("SAGELET_SPOT_INTERRUPT", "1")
        yield


@pytest.fixture(scope="module")
def box(patch):
    if os.getuid() or shutil.which("setpriv") is None:
        pytest.skip("only root can be somebody else")
    if subprocess.run(["setpriv", "--reuid=1000", "sh", "-c", f"{sys.executable} -c 'import sagelet'"]).returncode:
        pytest.skip("this Python is out of user 1000's reach")
    folder = Path(tempfile.mkdtemp(prefix="sagelet-weak-"))
    with own_image("sagelet-test/weak") as image:
        with WeakServer(folder, ["--executor", "docker"]) as server:
            made = Box(server, image)
            made.s3.create_bucket(Bucket="box")
            made.s3.put_object(Bucket="box", Key="data/a", Body=b"one\n")
            yield made
            until(lambda: made.left() == [], "something is left")
            made.end()
        assert {path.stat().st_uid for path in folder.iterdir() if path.name != "server.log"} == {1000}
    shutil.rmtree(folder)


def test_what_root_shut_is_stored_and_removed(box):
    program = SHUT + "shut('/opt/ml/model/deep/er'); os.chmod('/opt/ml/model', 0o000); shut('/opt/ml/output/data/x')"
    told = box.run(program)
    assert told["TrainingJobStatus"] == "Completed", told
    assert box.members(told) == {"deep/er/file": b"f"}
    told = box.run(
        "import os; os.umask(0o077); open('/opt/ml/output/failure', 'w').write('y' * 1025); raise SystemExit(3)"
    )
    assert told["FailureReason"].startswith("AlgorithmError: yyy") and len(told["FailureReason"]) == 1024


def test_a_spot_job_is_interrupted_and_finds_its_shut_checkpoint(box):
    program = SHUT + (
        "import time\nc = '/opt/ml/checkpoints/c'\n"
        "if os.path.exists(c): print('again', open(c + '/file').read())\n"
        "else:\n    shut(c); print('first'); time.sleep(600)\n"
    )
    told = box.run(
        program, EnableManagedSpotTraining=True, CheckpointConfig={"S3Uri": "s3://box/kept"},
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
    )  # fmt: skip
    assert told["TrainingJobStatus"] == "Completed", told
    assert "Interrupted" in [t["Status"] for t in told["SecondaryStatusTransitions"]]
    assert box.lines(told["TrainingJobName"]) == ["first", "again f"]


def test_pipes_and_links_are_read_by_root_and_stay_whole(box):
    program = (
        "print(open('/opt/ml/input/data/p_0').read(), open('/opt/ml/input/data/l/a').read())\n"
        "try: open('/opt/ml/input/data/l/a', 'w'); print('HARMED')\nexcept OSError: print('refused')"
    )
    channels = [
        {"ChannelName": "p", "InputMode": "Pipe", "DataSource": CHANNEL},
        {"ChannelName": "l", "InputMode": "FastFile", "DataSource": CHANNEL},
    ]
    told = box.run(program, InputDataConfig=channels)
    assert told["TrainingJobStatus"] == "Completed", told
    assert [line for line in box.lines(told["TrainingJobName"]) if line.strip()] == ["one", " one", "refused"]
    assert box.text("box", "data/a") == "one\n"


def test_a_run_that_ends_between_two_servers_is_given_back(box):
    job = box.start(SHUT + "import time; print('ready'); time.sleep(2); shut('/opt/ml/model/deep'); print('over')")
    box.until_logged(job, "ready")
    box.server.kill()
    until(lambda: all(one.status == "exited" for one in box.containers()), "it does not end")
    box.server.start()
    after = Box(box.server, box.image)
    box.__dict__.update(after.__dict__)
    told = box.ended(job)
    assert told["TrainingJobStatus"] == "Completed", told
    assert box.members(told) == {"deep/file": b"f"}
    assert box.lines(job) == ["ready", "over"]
