"""What CreateProcessingJob and its relatives refuse, in the service's words, and what Describe answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.errors import InUse, LimitExceeded, NotBuilt, Validation
from emulator.house import House
from emulator.jobs.lifecycle import Job, Phase
from emulator.jobs.record import hidden_life
from emulator.store.records import Record

SCOPE = Scope("123456789012", "eu-west-1")
IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


class Engine:
    """Notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def submit(self, record: Record) -> None:
        self.asked.append(("submit", record.kind, record.key))

    def request_stop(self, kind: str, scope: Scope, name: str) -> None:
        self.asked.append(("stop", kind, name))

    def close(self) -> None:
        """The house closes its rooms."""


@pytest.fixture
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """A house with an engine that only notes; a test may give settings of its own."""
    made = House.for_tests(**getattr(request, "param", {}))
    made.__dict__["jobs"] = Engine()
    yield made
    made.close()


def ask(house: House, operation: str, **params: Any) -> dict[str, Any]:
    return dict(house.dispatch(Call("sagemaker", operation, params, SCOPE)))


def create(house: House, **changes: Any) -> dict[str, Any]:
    """Create a job named `job` and describe it."""
    request = {
        "ProcessingJobName": "job",
        "RoleArn": "arn:aws:iam::123456789012:role/sm",
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        **changes,
    }
    answer = ask(house, "CreateProcessingJob", **request)
    assert answer == {"ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/job"}
    return ask(house, "DescribeProcessingJob", ProcessingJobName="job")


def an_input(name: str = "data", path: str | None = "/opt/ml/processing/input", **members: Any) -> dict[str, Any]:
    source = {"S3Uri": "s3://b/in", "S3DataType": "S3Prefix", "LocalPath": path, **members}
    return {"InputName": name, "S3Input": {k: v for k, v in source.items() if v is not None}}


def an_output(name: str = "out", path: str | None = "/opt/ml/processing/out", **members: Any) -> dict[str, Any]:
    target = {"S3Uri": "s3://b/out", "S3UploadMode": "EndOfJob", "LocalPath": path}
    return {"OutputName": name, "S3Output": {k: v for k, v in target.items() if v is not None}, **members}


def settle(house: House, phase: Phase, status: str) -> None:
    def edit(record: Record) -> Record:
        return replace(record, status=status, hidden={**record.hidden, "life": hidden_life(Job(phase))})

    house.resources.change("ProcessingJob", SCOPE, "job", edit)


def test_what_is_written_down_and_answered(house: House) -> None:
    experiment = {"ExperimentName": "e", "TrialName": "t"}
    for noun, params in (("Experiment", {"ExperimentName": "e"}), ("Trial", experiment)):
        house.resources.create(noun, Call("sagemaker", f"Create{noun}", params, SCOPE))
    network = {"EnableNetworkIsolation": True, "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}
    body = create(
        house,
        ProcessingInputs=[an_input()],
        ProcessingOutputConfig={"Outputs": [an_output()], "KmsKeyId": "key"},
        ExperimentConfig=experiment,
        NetworkConfig=network,
        Environment={"A": "b"},
    )
    assert house.jobs.asked == [("submit", "ProcessingJob", "job")]
    assert body["ProcessingJobStatus"] == "InProgress"
    assert body["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert body["ProcessingInputs"] == [
        {
            "InputName": "data",
            "AppManaged": False,
            "S3Input": {
                "S3Uri": "s3://b/in",
                "LocalPath": "/opt/ml/processing/input",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }
    ]
    assert body["ProcessingOutputConfig"] == {"Outputs": [an_output(AppManaged=False)], "KmsKeyId": "key"}
    assert (body["ExperimentConfig"], body["NetworkConfig"], body["Environment"]) == (experiment, network, {"A": "b"})
    assert not {"ProcessingStartTime", "ProcessingEndTime", "ExitMessage", "FailureReason"} & set(body)
    hidden = house.resources.get("ProcessingJob", SCOPE, "job").hidden
    assert hidden["max_run"] == 86400


def test_the_time_limit_is_the_requests_own(house: House) -> None:
    create(house, StoppingCondition={"MaxRuntimeInSeconds": 60})
    assert house.resources.get("ProcessingJob", SCOPE, "job").hidden["max_run"] == 60


def test_the_first_instance_preference_is_selected(house: House) -> None:
    preferences = [{"InstanceType": "ml.m5.large", "InstanceCount": 2}, {"InstanceType": "ml.m5.xlarge"}]
    config = {"InstancePreferences": preferences, "VolumeSizeInGB": 1}
    body = create(house, ProcessingResources={"ClusterConfig": config})
    selected = {"SelectedInstanceType": "ml.m5.large", "SelectedInstanceCount": 2}
    assert body["ProcessingResources"]["ClusterConfig"] == {**config, **selected}


def test_a_folder_may_lie_in_another(house: House) -> None:
    inputs = [an_input("data", "/opt/ml/processing/input"), an_input("code", "/opt/ml/processing/input/code")]
    assert create(house, ProcessingInputs=inputs)["ProcessingJobStatus"] == "InProgress"


def test_what_the_program_manages_needs_no_local_path(house: House) -> None:
    inputs = [{**an_input(path=None), "AppManaged": True}]
    group = {"OutputName": "f", "AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "people"}}
    outputs = {"Outputs": [an_output(path=None, AppManaged=True), group]}
    body = create(house, ProcessingInputs=inputs, ProcessingOutputConfig=outputs)
    assert body["ProcessingOutputConfig"]["Outputs"][1] == group


def outputs(*given: dict[str, Any]) -> dict[str, Any]:
    return {"ProcessingOutputConfig": {"Outputs": list(given)}}


def inputs(*given: dict[str, Any]) -> dict[str, Any]:
    return {"ProcessingInputs": list(given)}


def cluster(**members: Any) -> dict[str, Any]:
    return {"ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 1, **members}}}


FEATURES = {"OutputName": "f", "FeatureStoreOutput": {"FeatureGroupName": "people"}}
PATHS = ("/opt/ml/input", "/opt/ml/processing", "/opt/ml/processing/", "/opt/ml/processing/../model", "data")

REFUSED = [
    (inputs(an_input("a", "/opt/ml/processing/a"), an_input("a", "/opt/ml/processing/b")), "Names of inputs .* 'a'"),
    (outputs(an_output("a"), an_output("a", "/opt/ml/processing/b")), "Names of outputs must be unique"),
    (inputs({"InputName": "a"}), "needs exactly one of S3Input and DatasetDefinition"),
    (outputs({"OutputName": "a"}), "needs exactly one of S3Output and FeatureStoreOutput"),
    (inputs(an_input(path=None)), "LocalPath of ProcessingInput 'data' is required when AppManaged is false"),
    (outputs(an_output(path=None)), "LocalPath of ProcessingOutput 'out' is required when AppManaged is false"),
    (inputs(an_input("a"), an_input("b")), "used by ProcessingInput 'a' and by ProcessingInput 'b'"),
    ({**inputs(an_input("a")), **outputs(an_output("b", "/opt/ml/processing/input/"))}, "and by ProcessingOutput 'b'"),
    (inputs(an_input(S3CompressionType="Gzip")), "can only be used when Pipe is specified"),
    (inputs(an_input(S3Uri="https://example.com/in")), "Invalid S3 location"),
    (outputs(FEATURES), "is only supported when AppManaged is specified"),
    ({"AppSpecification": {"ImageUri": "my image"}}, "Invalid image URI my image. Please provide a valid Amazon"),
    (cluster(), "exactly one of InstanceType and InstancePreferences"),
    (cluster(InstanceType="ml.m5.large"), "needs an InstanceCount"),
    (cluster(InstancePreferences=[{"InstanceType": "ml.m5.large"}]), "has an InstanceCount"),
    *[(inputs(an_input(path=path)), "must be an absolute path that begins with /opt/ml/processing/") for path in PATHS],
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_is_refused(house: House, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Validation, match=message):
        create(house, **changes)
    assert house.jobs.asked == []


def test_the_result_of_a_query_is_not_made_here(house: House) -> None:
    query = {
        "Catalog": "c",
        "Database": "d",
        "QueryString": "select 1",
        "OutputS3Uri": "s3://b/q",
        "OutputFormat": "PARQUET",
    }
    dataset = {"AthenaDatasetDefinition": query, "LocalPath": "/opt/ml/processing/d"}
    with pytest.raises(NotBuilt, match=r"no Athena here that answers its query\. Put the result of the query into S3"):
        create(house, ProcessingInputs=[{"InputName": "d", "DatasetDefinition": dataset}])


def test_a_name_is_taken_once(house: House) -> None:
    create(house)
    with pytest.raises(InUse, match="a job with this name already exists"):
        create(house)


def test_stopping(house: House) -> None:
    with pytest.raises(Validation, match="Could not find requested job with name: job"):
        ask(house, "StopProcessingJob", ProcessingJobName="job")
    create(house)
    assert ask(house, "StopProcessingJob", ProcessingJobName="job") == {}
    assert house.jobs.asked[1:] == [("stop", "ProcessingJob", "job")]
    settle(house, Phase.COMPLETED, "Completed")
    with pytest.raises(Validation, match="rejected because the processing job is in status Completed"):
        ask(house, "StopProcessingJob", ProcessingJobName="job")


def test_only_what_is_over_can_be_deleted(house: House) -> None:
    create(house)
    with pytest.raises(InUse, match="is in status InProgress and cannot be deleted"):
        ask(house, "DeleteProcessingJob", ProcessingJobName="job")
    settle(house, Phase.FAILED, "Failed")
    ask(house, "DeleteProcessingJob", ProcessingJobName="job")
    assert ask(house, "ListProcessingJobs") == {"ProcessingJobSummaries": []}
    assert create(house)["ProcessingJobStatus"] == "InProgress"


def test_the_house_tells_of_jobs_that_run(house: House) -> None:
    create(house)
    assert house.status()["jobs"] == {"InProgress": 1}
    assert house.log_lines("job") == {"lines": [], "places": {}, "more": False, "over": False, "unknown": True}


def test_a_log_is_told_in_parts_host_by_host_and_to_its_last_byte(house: House) -> None:
    group, line = "/aws/sagemaker/ProcessingJobs", "x" * 1000
    logs = house.logs.of(SCOPE)
    for host in ("algo-1", "algo-2"):
        logs.append(group, f"job/{host}-1", [f"{host} {number} {line}" for number in range(6000)])
    with logs.path(group, "job/algo-2-1").open("ab") as file:
        file.write(b"1 torn")
    parts = [house.log_lines("job")]
    while parts[-1]["lines"]:
        parts.append(house.log_lines("job", parts[-1]["places"]))
    assert max(sum(map(len, part["lines"])) for part in parts) < 1_100_000
    lines = [text for part in parts for text in part["lines"]]
    assert [text.split()[:2] for text in lines[:-1]] == [
        [host, str(number)] for host in ("algo-1", "algo-2") for number in range(6000)
    ]
    assert lines[-1] == "torn"
    logs.append(group, "job/algo-1-1", ["late"])
    assert house.log_lines("job", parts[-1]["places"])["lines"] == ["late"]


@pytest.mark.parametrize("house", [{"gpu": "refuse"}], indirect=True)
def test_an_accelerator_that_is_not_given_is_refused(house: House) -> None:
    with pytest.raises(Validation, match=r"ml\.g5\.xlarge"):
        create(house, ProcessingResources={"ClusterConfig": {**CLUSTER, "InstanceType": "ml.g5.xlarge"}})


@pytest.mark.parametrize("house", [{"quotas": True}], indirect=True)
def test_quotas_are_those_of_processing_jobs(house: House) -> None:
    with pytest.raises(LimitExceeded, match="for processing job usage' is 4 Instances"):
        create(house, ProcessingResources={"ClusterConfig": {**CLUSTER, "InstanceCount": 5}})
