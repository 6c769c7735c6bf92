"""What programs do to a house, and what the house makes of it: every end is told truly, and the server goes on."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sagelet.server import Server
from tests.journeys.conftest import Client, channel, csv, table
from tests.journeys.test_script_mode_journey import log, submit

SPOT = {
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
    "EnableManagedSpotTraining": True,
}


def failed(client, bucket: str, program: str, **changes) -> dict:
    job = submit(client, bucket, {"train.py": program.encode()}, **changes)
    assert job["TrainingJobStatus"] == "Failed", job
    return job


def words(job: dict) -> list[str]:
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


def test_exit_137_is_told_as_it_is(client, training_data):
    job = failed(client, training_data, "import os\nprint('all memory is mine', flush=True)\nos._exit(137)\n")
    assert "137" in job["FailureReason"]
    assert "all memory is mine" in log(client, job)


def test_the_first_1024_characters_of_a_failure_file_are_the_reason(client, training_data):
    text = "the label column is missing: " + "x" * 996
    assert len(text) == 1025
    job = failed(
        client, training_data, f"open('/opt/ml/output/failure', 'w').write({text!r})\nimport os\nos._exit(3)\n"
    )
    assert len(job["FailureReason"]) == 1024
    assert job["FailureReason"].startswith("AlgorithmError: the label column is missing: xxx")
    assert job["FailureReason"].endswith("exit code: 3")


def test_what_a_failed_program_made_is_kept(client, training_data):
    program = (
        "import os\nopen(os.environ['SM_MODEL_DIR'] + '/half', 'w').write('h')\n"
        "open(os.environ['SM_OUTPUT_DATA_DIR'] + '/why', 'w').write('w')\nraise SystemExit(4)\n"
    )
    job = failed(client, training_data, program)
    listed = client.s3.list_objects_v2(Bucket=training_data, Prefix=f"out/{job['TrainingJobName']}/output/")
    assert [item["Key"].rpartition("/")[2] for item in listed["Contents"]] == ["model.tar.gz", "output.tar.gz"]


def test_children_that_survive_the_program_are_ended(client, training_data, tmp_path):
    nap = f"time.sleep({10_000 + os.getpid()})"  # nobody else's
    program = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; {nap}'], start_new_session=True)\n"
    )
    job = submit(client, training_data, {"train.py": program.encode()})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if nap.encode() in _read(p)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(tmp_path, monkeypatch):
    monkeypatch.setenv("SAGELET_STOP_GRACE", "1")
    with Server(tmp_path / "data", ["--executor", "process"]) as server:
        client = Client(server)
        bucket = client.bucket()
        client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
        program = (
            "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "print('deaf', flush=True)\ntime.sleep(600)\n"
        )
        name = submit(client, bucket, {"train.py": program.encode()}, wait=False)["TrainingJobName"]
        until_logged(client, name, "deaf")
        client.sagemaker.stop_training_job(TrainingJobName=name)
        job = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")
        assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
        assert words(job) == ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped"]


def until_logged(client, name: str, text: str, seconds: float = 60.0) -> None:
    """Wait until a job has printed something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if text in log(client, {"TrainingJobName": name}).splitlines():
                return
        except client.logs.exceptions.ResourceNotFoundException:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{name} did not print {text}")


def test_a_bucket_that_goes_away_under_the_job_fails_its_upload(client, training_data):
    gone = client.bucket()
    program = (
        "import os, time\nopen(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('m')\n"
        "print('made', flush=True)\ntime.sleep(1)\n"
    )
    name = submit(
        client, training_data, {"train.py": program.encode()}, wait=False,
        OutputDataConfig={"S3OutputPath": f"s3://{gone}/out"},
    )["TrainingJobName"]  # fmt: skip
    until_logged(client, name, "made")
    client.s3.delete_bucket(Bucket=gone)
    job = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed") and gone in job["FailureReason"]
    assert "ModelArtifacts" not in job or not job["ModelArtifacts"]["S3ModelArtifacts"]


def test_a_manifest_that_names_a_missing_object_fails_the_download(client, training_data):
    manifest = f'[{{"prefix": "s3://{training_data}/train/"}}, "rows.csv", "never.csv"]'
    client.s3.put_object(Bucket=training_data, Key="m.json", Body=manifest.encode())
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{training_data}/m.json"}
    job = client.train(
        training_data, InputDataConfig=[{**channel(training_data), "DataSource": {"S3DataSource": source}}]
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert "never.csv" in job["FailureReason"] and "Data download failed" in job["FailureReason"]


def test_a_full_disk_is_the_programs_failure_and_the_server_goes_on(tmp_path):
    """The whole server lives on a small file system of its own, in a mount namespace that needs no root."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    place = tmp_path / "small"
    place.mkdir()
    ready = tmp_path / "ready"
    up = f"mount -t tmpfs -o size=48m none {place} && exec {sys.executable} -m sagelet up --port 0 --executor process"
    shell = f"{up} --data-dir {place}/data --ready-file {ready}"
    with (tmp_path / "log").open("wb") as output:
        process = subprocess.Popen([*unshare, "sh", "-c", shell], stdout=output, stderr=output)
    try:
        client = Client(_Running(_await(ready, process, tmp_path / "log")))
        bucket = client.bucket()
        client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
        program = "with open('/opt/ml/output/data/big', 'wb') as f:\n    while True:\n        f.write(bytes(1 << 20))\n"
        job = failed(client, bucket, program)
        assert "No space left" in job["FailureReason"]
        assert submit(client, bucket, {"train.py": b"print('fine again')"})["TrainingJobStatus"] == "Completed"
    finally:
        process.terminate()
        process.wait(60)


class _Running:
    def __init__(self, url: str) -> None:
        self.url = url


def _await(ready: Path, process, log_file: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if ready.exists() and (url := ready.read_text().strip()):
            return url
        time.sleep(0.02)
    raise AssertionError(log_file.read_text(errors="replace"))


def test_three_jobs_in_different_phases_survive_a_killed_server(own_server):
    """One runs, one has ended meanwhile, one waits: after kill -9 the next server settles all three truly."""
    own_server.options = ("--executor", "process", "--max-jobs", "2")
    own_server.start()
    client = Client(own_server)
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    program = (
        "import os, sys, time\nprint('began', flush=True)\ntime.sleep(float(sys.argv[2]))\n"
        "open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('m')\nprint('ended', flush=True)\n"
    )

    def start(seconds: float) -> str:
        given = {"seconds": str(seconds)}
        return submit(client, bucket, {"train.py": program.encode()}, wait=False, HyperParameters=given)[
            "TrainingJobName"
        ]

    long, short = start(4), start(1)
    for name in (long, short):
        until_logged(client, name, "began")
    waiting = start(0)
    assert client.sagemaker.describe_training_job(TrainingJobName=waiting)["SecondaryStatus"] == "Pending"
    own_server.kill()
    time.sleep(1.5)
    own_server.start()
    client = Client(own_server)
    for name in (long, short, waiting):
        job = client.settle(
            lambda n=name: client.sagemaker.describe_training_job(TrainingJobName=n), "TrainingJobStatus"
        )
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/model.tar.gz")
        lines = log(client, job).splitlines()
        assert (lines.count("began"), lines.count("ended")) == (1, 1), lines
    assert not [f for f in Path(own_server.data_dir, "work").iterdir() if f.name.startswith("job-")]


def test_a_spot_job_goes_on_from_its_checkpoint_after_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setenv("SAGELET_SPOT_INTERRUPT", "1")
    program = (
        "import os, signal, sys, time\nplace = '/opt/ml/checkpoints/step'\n"
        "begun = int(open(place).read()) if os.path.exists(place) else 0\nprint(f'from={begun};', flush=True)\n"
        "if begun == 0:\n    open(place, 'w').write('7')\n    time.sleep(600)\n"
        "open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('m')\n"
    )
    with Server(tmp_path / "data", ["--executor", "process"]) as server:
        client = Client(server)
        bucket = client.bucket()
        client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
        metrics = {"MetricDefinitions": [{"Name": "from", "Regex": "from=(.*?);"}]}
        job = submit(
            client, bucket, {"train.py": program.encode()}, CheckpointConfig={"S3Uri": f"s3://{bucket}/cp"},
            AlgorithmSpecification=metrics, **SPOT,
        )  # fmt: skip
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert [m["Value"] for m in job["FinalMetricDataList"]] == [7.0]
        again = ["Starting", "Downloading", "Training"]
        assert words(job) == [*again, "Interrupted", *again, "Uploading", "Completed"]
        assert client.text(bucket, "cp/step") == "7"
