"""What CreateTrainingJob and its relatives refuse, in the service's words, and what they write down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.behaviours import training
from emulator.call import Call, Scope
from emulator.clock import ManualClock
from emulator.errors import CallerFault, InUse, NotBuilt, Validation
from emulator.jobs.lifecycle import Job, Phase
from emulator.jobs.record import hidden_life
from emulator.ports import ObjectInfo
from emulator.settings import Settings
from emulator.store.records import Record

SCOPE = Scope("123456789012", "eu-west-1")
ROLE = "arn:aws:iam::123456789012:role/sm"
XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"


class Keys:
    """A storage that only lists."""

    def __init__(self) -> None:
        self.keys = {"b": ["in/", "in/train.csv"]}

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        if bucket not in self.keys:
            raise FileNotFoundError(f"s3://{bucket}")
        return iter([ObjectInfo(bucket, key, 1, "") for key in self.keys[bucket] if key.startswith(prefix)])


class Records:
    """Creates and edits records of one kind in a dict."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Record] = {}

    def create(self, kind: str, call: Call, *, status: str, extra: dict[str, Any], hidden: dict[str, Any]) -> Record:
        name = call.params[f"{kind}Name"]
        body = {**call.params, **extra}
        record = Record(kind, call.scope, name, f"arn:{kind}/{name}", body, 0.0, 0.0, status, hidden=hidden)
        self.records[kind, name] = record
        return record

    def find(self, kind: str, scope: Scope, key: str) -> Record | None:
        return self.records.get((kind, key))

    def get(self, kind: str, scope: Scope, key: str) -> Record:
        record = self.find(kind, scope, key)
        if record is None:
            raise Validation("Requested resource not found.")
        return record

    def change(self, kind: str, scope: Scope, key: str, edit: Callable[[Record], Record]) -> Record:
        self.records[kind, key] = edit(self.get(kind, scope, key))
        return self.records[kind, key]

    def remove(self, kind: str, scope: Scope, key: str) -> None:
        del self.records[kind, key]

    def by_arn(self, arn: str) -> Record | None:
        return None


class Engine:
    """Notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def submit(self, record: Record) -> None:
        self.asked.append(("submit", record.kind, record.key))

    def request_stop(self, kind: str, scope: Scope, name: str) -> None:
        self.asked.append(("stop", kind, name))


@pytest.fixture
def rooms() -> Any:
    parts = {"resources": Records(), "storage": Keys(), "jobs": Engine(), "clock": ManualClock(1000.0)}
    return SimpleNamespace(settings=Settings(), **parts, roles=lambda role, scope: None, data=Path())


def channel(name: str = "train", uri: str = "s3://b/in/", **members: Any) -> dict[str, Any]:
    place = {"S3DataType": members.pop("kind", "S3Prefix"), "S3Uri": uri}
    place |= {key: members.pop(key) for key in ("AttributeNames", "InstanceGroupNames") if key in members}
    return {"ChannelName": name, "DataSource": {"S3DataSource": place}, **members}


def call(**members: Any) -> Call:
    params = {
        "TrainingJobName": "job",
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [channel()],
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **members,
    }
    return Call("sagemaker", "CreateTrainingJob", {k: v for k, v in params.items() if v is not None}, SCOPE)


def create(rooms: Any, **members: Any) -> Record:
    answer = training.create_training_job(rooms, call(**members))
    record: Record = rooms.resources.records["TrainingJob", "job"]
    assert answer == {"TrainingJobArn": record.arn}
    return record


def test_what_is_written_down(rooms: Any) -> None:
    record = create(rooms)
    assert rooms.jobs.asked == [("submit", "TrainingJob", "job")]
    assert record.body["SecondaryStatus"] == "Starting"
    assert record.body["TrainingJobStatus"] == record.status == "InProgress"
    assert [t["Status"] for t in record.body["SecondaryStatusTransitions"]] == ["Starting"]
    assert (
        record.body["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"
    )
    assert "ModelArtifacts" not in record.body
    assert record.hidden["max_run"] == 60
    assert record.hidden["image"] == XGBOOST


def test_a_built_in_brings_its_metrics_and_the_request_has_its_own(rooms: Any) -> None:
    own = {"Name": "train:auc", "Regex": "mine=(.*)"}
    given = {"TrainingImage": XGBOOST, "TrainingInputMode": "File", "MetricDefinitions": [own]}
    definitions = create(rooms, AlgorithmSpecification=given).body["AlgorithmSpecification"]["MetricDefinitions"]
    assert definitions[0] == own
    names = [definition["Name"] for definition in definitions]
    assert "validation:auc" in names
    assert names.count("train:auc") == 1


def test_an_unknown_image_is_accepted(rooms: Any) -> None:
    given = {"TrainingImage": "me/mine:1", "TrainingInputMode": "File"}
    assert "MetricDefinitions" not in create(rooms, AlgorithmSpecification=given).body["AlgorithmSpecification"]


def test_an_algorithm_resource_brings_its_image(rooms: Any) -> None:
    body = {"TrainingSpecification": {"TrainingImage": XGBOOST}}
    rooms.resources.records["Algorithm", "a"] = Record("Algorithm", SCOPE, "a", "arn", body, 0.0, 0.0)
    record = create(rooms, AlgorithmSpecification={"AlgorithmName": "a", "TrainingInputMode": "File"})
    assert record.hidden["image"] == XGBOOST
    assert "TrainingImage" not in record.body["AlgorithmSpecification"]


def test_spot_has_a_wait_deadline_and_no_limit_has_the_default(rooms: Any) -> None:
    condition = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}
    record = create(rooms, EnableManagedSpotTraining=True, StoppingCondition=condition)
    assert record.hidden["wait_until"] == 1090.0
    assert create(rooms, StoppingCondition=None).body["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}


GROUP = {"InstanceGroupName": "g", "InstanceType": "ml.m5.large", "InstanceCount": 1}
REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"InputDataConfig": [channel(uri="s3://b/none")]}, Validation, 'No S3 objects found under S3 URL "s3://b/none"'),
    ({"InputDataConfig": [channel(uri="s3://no/in")]}, Validation, "exists in the selected region (eu-west-1)"),
    ({"InputDataConfig": [channel(), channel()]}, Validation, "'train'"),
    ({"OutputDataConfig": {"S3OutputPath": "s3://no/out"}}, Validation, 'bucket "no"'),
    ({"CheckpointConfig": {"S3Uri": "s3://no/cp"}}, Validation, "CheckpointConfig"),
    ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, Validation, "Neither TrainingImage nor AlgorithmName"),
    (
        {"AlgorithmSpecification": {"TrainingImage": "i", "AlgorithmName": "a", "TrainingInputMode": "File"}},
        Validation,
        "Both TrainingImage and AlgorithmName",
    ),
    (
        {"AlgorithmSpecification": {"AlgorithmName": "gone", "TrainingInputMode": "File"}},
        Validation,
        "Algorithm gone does not exist",
    ),
    (
        {
            "AlgorithmSpecification": {
                "TrainingImage": "i",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "m", "Regex": "(("}],
            }
        },
        Validation,
        "metric m",
    ),
    ({"EnableManagedSpotTraining": True}, Validation, "MaxWaitTimeInSeconds"),
    (
        {
            "AlgorithmSpecification": {"TrainingImage": "kmeans:1", "TrainingInputMode": "File"},
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 3601},
        },
        Validation,
        "MaxWaitTimeInSeconds above 3600 is not supported for the given algorithm",
    ),
    ({"StoppingCondition": {"MaxWaitTimeInSeconds": 90000}}, Validation, "MaxWaitTimeInSeconds"),
    ({"ResourceConfig": None}, Validation, "ResourceConfig"),
    ({"ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}, Validation, "InstanceCount"),
    ({"ResourceConfig": {"InstanceGroups": [GROUP, GROUP], "VolumeSizeInGB": 1}}, Validation, "must be unique"),
    ({"ResourceConfig": {"InstanceGroups": [GROUP], "KeepAlivePeriodInSeconds": 9}}, Validation, "no warm pools"),
    (
        {"InputDataConfig": [channel(CompressionType="Gzip")]},
        Validation,
        "Invalid compression type for channel train: File mode only supports NONE, got Gzip instead",
    ),
    ({"InputDataConfig": [channel(RecordWrapperType="RecordIO", InputMode="FastFile")]}, Validation, "FastFile mode"),
    ({"InputDataConfig": [channel(kind="AugmentedManifestFile")]}, Validation, "can only be used if"),
    (
        {"InputDataConfig": [channel(kind="AugmentedManifestFile", InputMode="Pipe")]},
        Validation,
        "train has S3DataType AugmentedManifestFile and no AttributeNames",
    ),
    ({"InputDataConfig": [channel(kind="Converse")]}, NotBuilt, "S3DataType Converse is not implemented: use S3Prefix"),
    ({"InputDataConfig": [channel(InstanceGroupNames=["gpu"])]}, Validation, "the instance group 'gpu'"),
    (
        {"InputDataConfig": [{"ChannelName": "c", "DataSource": {"FileSystemDataSource": {"x": 1}}}]},
        NotBuilt,
        "FileSystemDataSource is not implemented: there is no EFS",
    ),
    ({"ServerlessJobConfig": {"JobType": "FineTuning"}}, NotBuilt, "ServerlessJobConfig"),
    ({"DebugRuleConfigurations": [{"RuleConfigurationName": "r"}]}, NotBuilt, "DebugRuleConfigurations"),
]


@pytest.mark.parametrize(("members", "kind", "words"), REFUSED)
def test_what_is_refused(rooms: Any, members: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as refusal:
        training.create_training_job(rooms, call(**members))
    assert words in str(refusal.value)
    assert rooms.resources.records == {}
    assert rooms.jobs.asked == []


def test_what_streams_is_accepted(rooms: Any) -> None:
    pipe = channel(InputMode="Pipe", CompressionType="Gzip", RecordWrapperType="RecordIO", ShuffleConfig={"Seed": 1})
    assert create(rooms, InputDataConfig=[pipe]).body["InputDataConfig"][0]["ShuffleConfig"] == {"Seed": 1}
    groups = [{"InstanceGroupName": "gpu", "InstanceType": "ml.m5.large", "InstanceCount": 1}]
    config = {"InstanceGroups": groups, "VolumeSizeInGB": 1}
    create(rooms, InputDataConfig=[channel(InstanceGroupNames=["gpu"])], ResourceConfig=config)


def test_the_role_is_asked_about(rooms: Any) -> None:
    def refuse(role: str, scope: Scope) -> None:
        raise Validation(f"Could not assume role {role}.")

    rooms.roles = refuse
    with pytest.raises(Validation, match="Could not assume role"):
        training.create_training_job(rooms, call())


def named(name: str = "job", **members: Any) -> Call:
    return Call("sagemaker", "StopTrainingJob", {"TrainingJobName": name, **members}, SCOPE)


def settle(rooms: Any, phase: Phase, status: str) -> None:
    record = rooms.resources.records["TrainingJob", "job"]
    hidden = {**record.hidden, "life": hidden_life(Job(phase))}
    rooms.resources.records["TrainingJob", "job"] = replace(record, status=status, hidden=hidden)


def test_stop(rooms: Any) -> None:
    create(rooms)
    assert training.stop_training_job(rooms, named()) == {}
    assert rooms.jobs.asked[-1] == ("stop", "TrainingJob", "job")
    settle(rooms, Phase.STOPPED, "Stopped")
    with pytest.raises(Validation) as refusal:
        training.stop_training_job(rooms, named())
    words = "The request was rejected because the training job is in status Stopped"
    assert str(refusal.value) == words
    with pytest.raises(CallerFault, match=r"Requested resource not found\."):
        training.stop_training_job(rooms, named("other"))


def test_update_merges_and_delete_waits_for_the_end(rooms: Any) -> None:
    create(rooms)
    training.update_training_job(rooms, named(ResourceConfig={"KeepAlivePeriodInSeconds": 60}))
    config = rooms.resources.records["TrainingJob", "job"].body["ResourceConfig"]
    assert (config["KeepAlivePeriodInSeconds"], config["InstanceCount"]) == (60, 1)
    with pytest.raises(InUse, match="InProgress"):
        training.delete_training_job(rooms, named())
    settle(rooms, Phase.FAILED, "Failed")
    training.delete_training_job(rooms, named())
    assert rooms.resources.records == {}


def test_a_job_that_retains_a_warm_pool_is_not_deleted(rooms: Any) -> None:
    create(rooms)
    settle(rooms, Phase.COMPLETED, "Completed")
    record = rooms.resources.records["TrainingJob", "job"]
    warm = {**record.body, "WarmPoolStatus": {"Status": "Available"}}
    rooms.resources.records["TrainingJob", "job"] = replace(record, body=warm)
    with pytest.raises(InUse, match="KeepAlivePeriodInSeconds of 0"):
        training.delete_training_job(rooms, named())


def test_remote_debugging_is_for_programs_that_run_or_are_about_to(rooms: Any) -> None:
    create(rooms)
    with pytest.raises(Validation, match="Downloading or Training; it is Starting"):
        training.update_training_job(rooms, named(RemoteDebugConfig={"EnableRemoteDebug": True}))
    record = rooms.resources.records["TrainingJob", "job"]
    running = replace(record, body={**record.body, "SecondaryStatus": "Training"})
    rooms.resources.records["TrainingJob", "job"] = running
    training.update_training_job(rooms, named(RemoteDebugConfig={"EnableRemoteDebug": True}))
    assert rooms.resources.records["TrainingJob", "job"].body["RemoteDebugConfig"] == {"EnableRemoteDebug": True}


def test_a_spot_job_gets_no_warm_pool_later_either(rooms: Any) -> None:
    create(
        rooms,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
    )
    with pytest.raises(Validation, match="cannot be used with EnableManagedSpotTraining"):
        training.update_training_job(rooms, named(ResourceConfig={"KeepAlivePeriodInSeconds": 60}))


def test_the_time_of_a_running_job_grows(rooms: Any) -> None:
    record = create(rooms)
    assert training.training_time(rooms, record) is None
    started = replace(record, body={**record.body, "TrainingStartTime": 1000.0})
    rooms.clock.advance(7)
    assert training.training_time(rooms, started) == 7
    over = replace(record, body={**started.body, "TrainingTimeInSeconds": 3})
    assert training.training_time(rooms, over) == 3


def test_instances_are_refused_by_the_servers_policies(rooms: Any) -> None:
    gpu = {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    create(rooms, ResourceConfig=gpu)
    rooms.settings = Settings(gpu="refuse")
    with pytest.raises(Validation, match="--gpu refuse"):
        create(rooms, TrainingJobName="other", ResourceConfig=gpu)
