"""The processing recipe: /opt/ml, inputs, what is uploaded and when, messages, failures, stops, restarts."""

from __future__ import annotations

import gzip
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from emulator.jobs.lifecycle import Job
from emulator.jobs.record import hidden_life
from emulator.ports import ExitReason
from emulator.store.records import Record
from tests.jobs.conftest import SCOPE

KIND = "ProcessingJob"
IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def given(name: str, location: str, path: str = "", **members: Any) -> dict[str, Any]:
    source = {
        "S3Uri": location,
        "LocalPath": path or f"/opt/ml/processing/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"InputName": name, "AppManaged": False, "S3Input": {**source, **members}}


def output(name: str, mode: str = "EndOfJob", **members: Any) -> dict[str, Any]:
    target = {"S3Uri": f"s3://b/out/{name}", "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": mode}
    return {"OutputName": name, "AppManaged": False, "S3Output": target, **members}


def submit(mini: Any, instances: int = 1, hidden: dict[str, Any] | None = None, **members: Any) -> None:
    now = mini.clock.now()
    body = {
        "ProcessingJobName": "job",
        "ProcessingJobStatus": "InProgress",
        "RoleArn": "arn:aws:iam::123456789012:role/sm",
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "x.py"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1}
        },
        "ProcessingInputs": [given("data", "s3://b/in")],
        "ProcessingOutputConfig": {"Outputs": [output("result")]},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        **members,
    }
    kept = {"life": hidden_life(Job()), "run_id": "job-job", **(hidden or {})}
    arn = f"arn:aws:sagemaker:{SCOPE.region}:{SCOPE.account}:processing-job/job"
    record = Record(KIND, SCOPE, "job", arn, body, now, now, "InProgress", hidden=kept)
    mini.records.records[KIND, SCOPE, "job"] = record
    mini.engine.submit(record)


def finish(mini: Any) -> dict[str, Any]:
    assert mini.engine.idle(5)
    return dict(mini.records.get(KIND, SCOPE, "job").body)


def run(mini: Any, files: dict[str, Any], code: int = 0, **members: Any) -> dict[str, Any]:
    """A job whose programs write `files` (below /opt/ml) and end with `code`."""

    def script(program: Any) -> None:
        for name, text in files.items():
            target: Path = program.ml / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
        program.end(code)

    mini.executor.script = script
    submit(mini, **members)
    return finish(mini)


def test_the_container_contract_of_files(mini: Any) -> None:
    submit(mini, ProcessingOutputConfig={"Outputs": [output("result"), output("live", "Continuous")]})
    program = mini.executor.next()
    config = json.loads((program.ml / "config/processingjobconfig.json").read_text())
    assert config == {
        "ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/job",
        "ProcessingJobName": "job",
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "x.py"],
            "ContainerArguments": None,
        },
        "Environment": {},
        "ProcessingInputs": [given("data", "s3://b/in", S3DownloadMode="StartOfJob")],
        "ProcessingOutputConfig": {"Outputs": [output("result"), output("live", "Continuous")], "KmsKeyId": None},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
                "VolumeKmsKeyId": None,
            }
        },
        "RoleArn": "arn:aws:iam::123456789012:role/sm",
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    }
    resources = json.loads((program.ml / "config/resourceconfig.json").read_text())
    assert (resources["current_host"], resources["hosts"]) == ("algo-1", ["algo-1"])
    assert (program.ml / "processing/input/data/train.csv").read_bytes() == b"1,2\n"
    for folder in ("processing/result", "processing/live", "processing/input/data", "output"):
        (program.ml / folder / "probe").write_text("writable")


def test_what_the_program_is_started_with(mini: Any) -> None:
    application = {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "x.py"], "ContainerArguments": ["--a", "1"]}
    isolated = {"EnableNetworkIsolation": True}
    submit(mini, AppSpecification=application, Environment={"A": "b"}, NetworkConfig=isolated)
    spec = mini.executor.next().spec
    assert (spec.verb, spec.image, spec.run_id) == ("run", IMAGE, "job-job-algo-1")
    assert (spec.entrypoint, spec.arguments) == (("python3", "x.py"), ("--a", "1"))
    assert spec.environment["A"] == "b"
    assert spec.environment["AWS_REGION"] == "eu-west-1"
    assert not spec.network and not spec.endpoint
    assert [str(mount.inside) for mount in spec.mounts] == ["/opt/ml"]


def test_a_completed_job_has_its_outputs_message_and_times(mini: Any) -> None:
    body = run(mini, {"processing/result/a/b.csv": "1", "output/message": "all is well"})
    assert body["ProcessingJobStatus"] == "Completed"
    assert body["ExitMessage"] == "all is well"
    assert body["ProcessingStartTime"] <= body["ProcessingEndTime"]
    assert "SecondaryStatus" not in body and "FailureReason" not in body
    assert mini.storage.read("b", "out/result/a/b.csv") == b"1"


def test_a_failed_job_says_why_and_keeps_only_what_is_continuous(mini: Any) -> None:
    outputs = {"Outputs": [output("result"), output("live", "Continuous")]}
    files = {"processing/result/a": "1", "processing/live/b": "2", "output/message": "no such column"}
    body = run(mini, files, code=3, ProcessingOutputConfig=outputs)
    assert body["ProcessingJobStatus"] == "Failed"
    assert body["FailureReason"].startswith("AlgorithmError: exit code: 3")
    assert body["ExitMessage"] == "no such column"
    assert mini.storage.keys("b", "out/") == ["out/live/b"]


def test_continuous_outputs_are_uploaded_while_the_program_runs(mini: Any) -> None:
    object.__setattr__(mini.settings, "sync_seconds", 0.05)
    submit(mini, ProcessingOutputConfig={"Outputs": [output("live", "Continuous")]})
    program = mini.executor.next()
    (program.ml / "processing/live/early.csv").write_text("1")
    for _ in range(100):
        if mini.storage.keys("b", "out/live/"):
            break
        program.over.wait(0.05)
    assert mini.storage.keys("b", "out/live/") == ["out/live/early.csv"]
    program.end()
    assert finish(mini)["ProcessingJobStatus"] == "Completed"


def test_what_the_program_manages_itself_is_left_alone(mini: Any) -> None:
    inputs = [{**given("data", "s3://b/nothing-there"), "AppManaged": True}]
    group = {"OutputName": "f", "AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "people"}}
    outputs = {"Outputs": [output("result", AppManaged=True), group]}
    body = run(mini, {"processing/result/a": "1"}, ProcessingInputs=inputs, ProcessingOutputConfig=outputs)
    assert body["ProcessingJobStatus"] == "Completed"
    assert mini.storage.keys("b", "out/") == []
    log = [line.message for lines in mini.logs.streams.values() for line in lines]
    assert "Sagelet records the output f for the feature group people, and ingests nothing into it." in log


def test_an_input_of_nothing_fails_the_job(mini: Any) -> None:
    body = run(mini, {}, ProcessingInputs=[given("data", "s3://b/nothing-there")])
    assert body["FailureReason"].startswith("ClientError: Data download failed: No S3 objects found under S3 URL")
    assert "s3://b/nothing-there" in body["FailureReason"]
    assert not mini.executor.programs


def test_an_output_without_its_bucket_fails_the_job(mini: Any) -> None:
    nowhere = output("result")
    nowhere["S3Output"]["S3Uri"] = "s3://gone/out"
    body = run(mini, {"processing/result/a": "1"}, ProcessingOutputConfig={"Outputs": [nowhere]})
    assert body["ProcessingJobStatus"] == "Failed"
    assert "s3://gone" in body["FailureReason"]


def test_every_host_has_its_own_files_and_all_upload(mini: Any) -> None:
    def script(program: Any) -> None:
        host = program.spec.hostname
        (program.ml / "processing/result" / host).write_text(host)
        (program.ml / "processing/result/same").write_text(host)
        (program.ml / "output/message").write_text(f"{host};")
        program.end()

    mini.executor.script = script
    submit(mini, instances=2)
    body = finish(mini)
    assert body["ProcessingJobStatus"] == "Completed"
    assert body["ExitMessage"] == "algo-1;algo-2;"
    assert mini.storage.keys("b", "out/result/") == [f"out/result/{name}" for name in ("algo-1", "algo-2", "same")]
    assert mini.storage.read("b", "out/result/same") == b"algo-1"
    cluster = mini.executor.programs["job-job-algo-2"].spec.cluster
    assert cluster is not None and cluster.hosts == ("algo-1", "algo-2")


@pytest.mark.parametrize(
    ("written", "told"),
    [("x" * 3000, "x" * 1024), ("é" * 1000, "é" * 512), ("x" + "é" * 1000, "x" + "é" * 511), ("", None)],
)
def test_the_first_kilobyte_of_the_message_is_told(mini: Any, written: str, told: str | None) -> None:
    assert run(mini, {"output/message": written.encode()}).get("ExitMessage") == told


def test_a_message_that_is_not_text_fails_the_job(mini: Any) -> None:
    body = run(mini, {"output/message": b"\xff\xfe!"})
    assert body["ProcessingJobStatus"] == "Failed"
    assert body["FailureReason"].startswith("ClientError: The file /opt/ml/output/message is not UTF-8 encoded")
    assert "ExitMessage" not in body


def test_a_message_that_is_a_link_tells_nothing(mini: Any) -> None:
    def script(program: Any) -> None:
        (program.ml / "output/message").symlink_to("/etc/hostname")
        program.end()

    mini.executor.script = script
    submit(mini)
    assert "ExitMessage" not in finish(mini)


def test_a_stopped_job_keeps_its_message_and_no_output_of_its_end(mini: Any) -> None:
    submit(mini)
    program = mini.executor.next()
    (program.ml / "processing/result/half").write_text("1")
    (program.ml / "output/message").write_text("interrupted")
    mini.engine.request_stop(KIND, SCOPE, "job")
    body = finish(mini)
    assert body["ProcessingJobStatus"] == "Stopped"
    assert body["ExitMessage"] == "interrupted"
    assert "FailureReason" not in body
    assert mini.storage.keys("b", "out/") == []


def test_a_job_that_takes_too_long_is_stopped(mini: Any) -> None:
    submit(mini, hidden={"max_run": 60}, StoppingCondition={"MaxRuntimeInSeconds": 60})
    program = mini.executor.next()
    for _ in range(100):
        if mini.records.get(KIND, SCOPE, "job").hidden["life"]["phase"] == "RUNNING":
            break
        program.over.wait(0.02)
    mini.clock.advance(61)
    assert finish(mini)["ProcessingJobStatus"] == "Stopped"


def test_a_job_outlives_the_server(mini: Any) -> None:
    submit(mini)
    program = mini.executor.next()
    mini.kill()
    mini.start().recover()
    (program.ml / "processing/result/late").write_text("1")
    program.end()
    assert finish(mini)["ProcessingJobStatus"] == "Completed"
    assert mini.storage.keys("b", "out/") == ["out/result/late"]


def test_a_program_that_was_lost_fails_the_job(mini: Any) -> None:
    submit(mini)
    mini.executor.next().end(0, ExitReason.LOST)
    body = finish(mini)
    assert body["FailureReason"].startswith("InternalServerError:")


def test_hosts_share_the_objects_of_a_sharded_input(mini: Any) -> None:
    for name in "abcd":
        mini.storage.put("b", f"parts/{name}", b"1")
    seen: dict[str, list[str]] = {}

    def script(program: Any) -> None:
        folder = program.ml / "processing/input/parts"
        seen[program.spec.hostname] = sorted(path.name for path in folder.iterdir())
        program.end()

    mini.executor.script = script
    submit(mini, 2, ProcessingInputs=[given("parts", "s3://b/parts", S3DataDistributionType="ShardedByS3Key")])
    assert finish(mini)["ProcessingJobStatus"] == "Completed"
    assert seen == {"algo-1": ["a", "c"], "algo-2": ["b", "d"]}


def test_a_piped_input_is_read_epoch_after_epoch(mini: Any) -> None:
    mini.storage.put("b", "packed/1.gz", gzip.compress(b"one"))
    submit(mini, ProcessingInputs=[given("data", "s3://b/packed", S3InputMode="Pipe", S3CompressionType="Gzip")])
    program = mini.executor.next()
    for epoch in range(2):
        pipe = program.ml / f"processing/input/data_{epoch}"
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert pipe.read_bytes() == b"one"
    program.end()
    assert finish(mini)["ProcessingJobStatus"] == "Completed"


def test_a_job_with_a_pipe_is_begun_again_by_the_next_server(mini: Any) -> None:
    submit(mini, ProcessingInputs=[given("data", "s3://b/in", S3InputMode="Pipe")])
    mini.executor.next()
    mini.kill()
    mini.start().recover()
    program = mini.executor.next()
    assert (program.ml / "processing/input/data_0").read_bytes() == b"1,2\n"
    program.end()
    assert finish(mini)["ProcessingJobStatus"] == "Completed"
