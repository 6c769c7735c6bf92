"""The training recipe: /opt/ml, the environment, artifacts, checkpoints, metrics, failure reasons."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from emulator.errors import SageletError
from emulator.ports import ExitReason
from emulator.settings import Settings
from tests.jobs.conftest import IMAGE

CONFIG = "input/config"


def channel(name: str, location: str, **members: Any) -> dict[str, Any]:
    kind = members.pop("kind", "S3Prefix")
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": location}}, **members}


def members_of(mini: Any, key: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(mini.storage.read("b", key)), mode="r:gz") as tar:
        return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]


def run(mini: Any, code: int = 0, files: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
    def script(program: Any) -> None:
        for name, text in (files or {}).items():
            (program.ml / name).parent.mkdir(parents=True, exist_ok=True)
            (program.ml / name).write_text(text)
        program.end(code)

    mini.executor.script = script
    mini.submit(**members)
    return dict(mini.finish())


def test_the_container_contract_of_files(mini: Any) -> None:
    mini.storage.put("b", "v/a/1.csv", b"1")
    inputs = [
        channel("train", "s3://b/in/", ContentType="text/csv"),
        channel("validation", "s3://b/v", InputMode="FastFile"),
    ]
    mini.submit(InputDataConfig=inputs, CheckpointConfig={"S3Uri": "s3://b/cp"})
    ml = mini.executor.next().ml

    def config(name: str) -> Any:
        return json.loads((ml / CONFIG / name).read_text())

    assert config("hyperparameters.json") == {"num_round": "3"}
    assert config("inputdataconfig.json") == {
        "train": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            "ContentType": "text/csv",
        },
        "validation": {
            "TrainingInputMode": "FastFile",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        },
    }
    assert config("resourceconfig.json") == {
        "current_host": "algo-1",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
        ],
        "network_interface_name": "eth0",
    }
    assert config("checkpointconfig.json") == {"S3Uri": "s3://b/cp", "LocalPath": "/opt/ml/checkpoints"}
    assert (ml / "input/data/validation/a/1.csv").read_bytes() == b"1"
    assert (ml / "output/data").is_dir()


def test_the_environment_and_the_run(mini: Any) -> None:
    mini.submit(Environment={"MINE": "1", "TRAINING_JOB_NAME": "fake"}, EnableNetworkIsolation=True)
    spec = mini.executor.next().spec
    assert spec.environment["MINE"] == "1"
    assert spec.environment["TRAINING_JOB_NAME"] == "job"
    assert spec.environment["TRAINING_JOB_ARN"].endswith(":training-job/job")
    assert spec.environment["AWS_REGION"] == "eu-west-1"
    assert spec.environment["SAGELET_IMAGE"] == spec.image
    assert (spec.verb, spec.hostname, spec.network) == ("train", "algo-1", False)
    stream = f"job/algo-1-{int(mini.clock.now())}"
    assert "scripted" in mini.logs.streams["/aws/sagemaker/TrainingJobs", stream][0].message


def test_artifacts_are_archives(mini: Any) -> None:
    body = run(mini, files={"model/xgboost-model": "M", "output/data/x/y": "Y"})
    assert body["ModelArtifacts"] == {"S3ModelArtifacts": "s3://b/out/job/output/model.tar.gz"}
    assert members_of(mini, "out/job/output/model.tar.gz") == {"xgboost-model": b"M"}
    assert members_of(mini, "out/job/output/output.tar.gz") == {"x/y": b"Y"}


def test_without_compression_artifacts_are_objects(mini: Any) -> None:
    files = {"model/d/xgboost-model": "M", "output/data/y": "Y"}
    body = run(mini, files=files, OutputDataConfig={"S3OutputPath": "s3://b/out/", "CompressionType": "NONE"})
    assert body["ModelArtifacts"] == {"S3ModelArtifacts": "s3://b/out/job/output/model/"}
    assert mini.storage.keys("b", "out") == ["out/job/output/model/d/xgboost-model", "out/job/output/output/y"]


def test_nothing_made_means_nothing_stored(mini: Any) -> None:
    body = run(mini)
    assert body["TrainingJobStatus"] == "Completed"
    assert "ModelArtifacts" not in body
    assert mini.storage.keys("b", "out") == []


def test_a_failed_program_keeps_what_it_made(mini: Any) -> None:
    body = run(mini, 1, {"output/data/log": "L", "output/failure": "the third column is text"})
    assert body["TrainingJobStatus"] == "Failed"
    assert body["FailureReason"] == "AlgorithmError: the third column is text, exit code: 1"
    assert members_of(mini, "out/job/output/output.tar.gz") == {"log": b"L"}


def test_a_failure_keeps_its_own_prefix_and_is_cut(mini: Any) -> None:
    body = run(mini, 2, {"output/failure": "ClientError: " + "x" * 5000})
    assert body["FailureReason"].startswith("ClientError: xxx")
    assert len(body["FailureReason"]) == 1024
    assert body["FailureReason"].endswith("exit code: 2")


def test_without_a_failure_file_the_log_speaks(mini: Any) -> None:
    def script(program: Any) -> None:
        mini.log("Traceback", "KeyError: 'no such column'")
        program.end(1)

    mini.executor.script = script
    mini.submit()
    body = mini.finish()
    assert body["FailureReason"].startswith("AlgorithmError: exit code: 1")
    assert "KeyError: 'no such column'" in body["FailureReason"]
    assert "Sagelet runs" not in body["FailureReason"]


@pytest.mark.parametrize("code", [-9, 137])
def test_a_killed_program_says_so_in_process_and_container(mini: Any, code: int) -> None:
    assert "SIGKILL (out of memory?), exit code: 137" in run(mini, code)["FailureReason"]


def test_an_image_that_nothing_can_run_fails_the_job(mini: Any) -> None:
    class NoExecutor(SageletError):
        pass

    mini.executor.none = NoExecutor("It is no built-in algorithm: build it, or start Docker.")
    mini.submit()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert body["FailureReason"].startswith("ClientError: Cannot pull image '1.dkr.ecr")
    assert "start Docker" in body["FailureReason"]


def test_a_program_that_cannot_start_fails_the_job(mini: Any) -> None:
    mini.executor.script = lambda program: program.end(0, ExitReason.NOT_STARTED, "no bwrap")
    mini.submit()
    assert mini.finish()["FailureReason"] == f"ClientError: Cannot run image '{IMAGE}'. no bwrap"


def test_a_channel_that_became_empty_fails_the_job(mini: Any) -> None:
    mini.submit(InputDataConfig=[channel("train", "s3://b/none")])
    reason = mini.finish()["FailureReason"]
    assert reason.startswith("ClientError: Data download failed: No S3 objects found")
    assert "s3://b/none" in reason


def test_a_channel_may_be_a_manifest(mini: Any) -> None:
    mini.storage.put("b", "m.json", json.dumps([{"prefix": "s3://b/in/"}, "train.csv"]).encode())
    mini.submit(InputDataConfig=[channel("m", "s3://b/m.json", kind="ManifestFile")])
    data = mini.executor.next().ml / "input/data"
    assert (data / "m/train.csv").read_bytes() == b"1,2\n"


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["d/a"], "a folder"),
        (["d/a", "d/../x"], "not usable"),
    ],
)
def test_names_that_cannot_be_files_fail_the_job(mini: Any, keys: list[str], names: str) -> None:
    for key in [*keys, "d/a/b"]:
        mini.storage.put("b", key, b"1")
    mini.submit(InputDataConfig=[channel("train", "s3://b/d/")])
    reason = mini.finish()["FailureReason"]
    assert reason.startswith("ClientError: Data download failed: ")
    assert names in reason


def test_checkpoints_go_both_ways(mini: Any) -> None:
    mini.storage.put("b", "cp/epoch-1", b"one")

    def script(program: Any) -> None:
        assert (program.ml / "checkpoints/epoch-1").read_bytes() == b"one"
        (program.ml / "checkpoints/epoch-1").write_text("changed")
        (program.ml / "checkpoints/epoch-2").write_text("two")
        program.end(0)

    mini.executor.script = script
    mini.submit(CheckpointConfig={"S3Uri": "s3://b/cp/"})
    assert mini.finish()["TrainingJobStatus"] == "Completed"
    assert mini.storage.read("b", "cp/epoch-1") == b"changed"
    assert mini.storage.read("b", "cp/epoch-2") == b"two"


def test_checkpoints_outside_of_opt_ml_have_a_mount(mini: Any) -> None:
    mini.submit(CheckpointConfig={"S3Uri": "s3://b/cp/", "LocalPath": "/cp"})
    assert [mount.inside for mount in mini.executor.next().spec.mounts] == ["/opt/ml", "/cp"]


def test_metrics_are_read_from_the_log(mini: Any) -> None:
    metrics = [{"Name": "validation:auc", "Regex": r".*\[[0-9]+\].*#011validation-auc:(\S+)"}]
    algorithm = {"TrainingImage": "i", "TrainingInputMode": "File", "MetricDefinitions": metrics}

    def script(program: Any) -> None:
        mini.log("[0]#011train-auc:0.5#011validation-auc:0.7")
        mini.clock.advance(1)
        mini.log("[1]#011train-auc:0.5#011validation-auc:0.8", "[2]#011validation-auc:nan")
        program.end(0)

    mini.executor.script = script
    mini.submit(AlgorithmSpecification=algorithm)
    final = mini.finish()["FinalMetricDataList"]
    assert final == [{"MetricName": "validation:auc", "Value": 0.8, "Timestamp": mini.clock.now()}]
    assert [point.value for point in mini.metrics.read("job")] == [0.7, 0.8]


def test_an_adopted_job_counts_no_number_twice(mini: Any) -> None:
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}]
    mini.submit(AlgorithmSpecification={"TrainingInputMode": "File", "MetricDefinitions": metrics})
    program = mini.executor.next()
    mini.log("loss=3")
    mini.metrics.append(_points(mini))
    mini.kill()
    mini.log("loss=2")
    mini.start().recover()
    program.end(0)
    assert mini.finish()["FinalMetricDataList"][0]["Value"] == 2.0
    assert [point.value for point in mini.metrics.read("job")] == [3.0, 2.0]


def _points(mini: Any) -> list[Any]:
    from emulator.jobs.metrics import definitions, points

    stream = next(iter(mini.logs.streams.values()))
    found = definitions([{"Name": "loss", "Regex": "loss=(.*)"}])
    return [point for line in stream for point in points(line, found, "job")]


def test_a_key_of_the_requests_own_is_not_mixed_with_the_roles_token(mini: Any) -> None:
    given = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    object.__setattr__(mini.engine._tools, "credentials", lambda role, scope, session: given)
    mini.submit("roles", Environment={"A": "1"})
    assert given.items() <= mini.executor.next().spec.environment.items()
    own = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "mine"}
    mini.submit("own", Environment=own)
    found = mini.executor.next().spec.environment
    assert {name: value for name, value in found.items() if name in given} == own
    assert found["AWS_DEFAULT_REGION"] == "eu-west-1"


@pytest.mark.parametrize(
    ("allowed", "asked", "told"),
    [(False, {}, None), (True, {}, "true"), (True, {"SAGELET_TRAIN_FROM_SCRATCH": "0"}, "0")],
)
def test_a_job_is_told_whether_it_may_begin_from_scratch(
    mini: Any, allowed: bool, asked: dict[str, str], told: str | None
) -> None:
    mini.restart(Settings(data_dir=mini.settings.data_dir, train_from_scratch=allowed))
    mini.submit(Environment=asked)
    assert mini.executor.next().spec.environment.get("SAGELET_TRAIN_FROM_SCRATCH") == told
