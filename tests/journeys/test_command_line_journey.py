"""The command line as people use it: with pipes."""

import subprocess
import sys

from sagelet import places
from sagelet.cli import main
from tests.journeys.conftest import ROLE
from tests.journeys.test_script_mode_journey import SKLEARN


def test_a_reader_that_has_enough_is_no_error(client, training_data):
    job = client.train(training_data)
    words = [sys.executable, "-m", "sagelet", "logs", job["TrainingJobName"], "--data-dir", client.server.data_dir]
    command = " ".join(map(str, words))
    told = subprocess.run(["bash", "-c", f"{command} | true; {command} | tail -n 1"], capture_output=True, text=True)
    assert told.stdout.strip() and not told.stderr


def process(client, script):
    name = client.name("processing")
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    client.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        ProcessingResources={"ClusterConfig": cluster},
        AppSpecification={"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", "-c", script]},
    )
    return name


def logs(client, name, *more):
    words = [sys.executable, "-m", "sagelet", "logs", name, "--data-dir", str(client.server.data_dir), *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=30)


def test_a_processing_job_is_followed_from_the_moment_it_is_made_to_its_last_line(client):
    told = logs(
        client, process(client, "import time; print('one', flush=True); time.sleep(0.5); print('two')"), "--follow"
    )
    assert not told.returncode and not told.stderr
    assert [line for line in told.stdout.splitlines() if line in ("one", "two")] == ["one", "two"]


def test_who_does_not_follow_gets_what_is_there_however_fast_there_is_more(monkeypatch, capsys):
    answers = iter([(["one"], True), (["two"], False)])

    def ask(url, path):
        lines, more = next(answers)
        return {"lines": lines, "places": {}, "more": more, "over": False, "unknown": False}

    monkeypatch.setattr(places, "find", lambda data_dir: "http://nowhere")
    monkeypatch.setattr(places, "ask", ask)
    assert main(["logs", "job"]) == 0
    assert capsys.readouterr().out == "one\ntwo\n"
