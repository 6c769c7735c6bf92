"""Every job has a trial component, and leaves what it read and made in the lineage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.behaviours import following
from emulator.call import Call
from emulator.errors import CallerFault
from emulator.ports import Point
from emulator.store.records import Record
from tests.behaviours.conftest import ARN, SCOPE, Desk

IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
MODEL = "s3://b/out/Job/output/model.tar.gz"
TRAINING: dict[str, Any] = {
    "TrainingJobName": "Job",
    "HyperParameters": {"eta": "0.2", "objective": "binary:logistic", "odd": "nan"},
    "InputDataConfig": [
        {
            "ChannelName": name,
            "ContentType": content,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://b/{name}"}},
        }
        for name, content in (("train", "text/csv"), ("validation", "csv"))
    ],
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
}


def start(desk: Desk, kind: str, hidden: dict[str, Any], **params: Any) -> Record:
    """A job's record as its behaviour would have written it."""
    call = Call("sagemaker", f"Create{kind}", params, SCOPE)
    return desk.house.resources.create(kind, call, status="InProgress", hidden=hidden)


def train(desk: Desk, **params: Any) -> Record:
    return start(desk, "TrainingJob", {"image": IMAGE}, **{**TRAINING, **params})


def move(desk: Desk, kind: str, name: str, status: str, **members: Any) -> None:
    def edit(record: Record) -> Record:
        return replace(record, status=status, body={**record.body, **members})

    desk.house.resources.change(kind, SCOPE, name, edit)


def finish(desk: Desk, name: str = "Job") -> None:
    members = {"SecondaryStatus": "Completed", "TrainingStartTime": 1_700_000_001.0, "TrainingEndTime": 1_700_000_009.0}
    model = {"ModelArtifacts": {"S3ModelArtifacts": MODEL}}
    move(desk, "TrainingJob", name, "Completed", **members, **model)


def component(desk: Desk, name: str = "job-aws-training-job") -> dict[str, Any]:
    return desk.do("DescribeTrialComponent", TrialComponentName=name)


def around(desk: Desk, name: str) -> dict[str, list[tuple[str, str, str]]]:
    """What is associated with a component: (URI, artifact type, association type), by direction."""
    arn = f"{ARN}:experiment-trial-component/{name}"
    found = {}
    for direction, end, other in (("in", "DestinationArn", "SourceArn"), ("out", "SourceArn", "DestinationArn")):
        associations = desk.do("ListAssociations", **{end: arn}, MaxResults=100)["AssociationSummaries"]
        artifacts = [(desk.do("DescribeArtifact", ArtifactArn=item[other]), item) for item in associations]
        found[direction] = sorted(
            (shown["Source"]["SourceUri"], shown["ArtifactType"], item["AssociationType"]) for shown, item in artifacts
        )
    return found


def test_a_training_job_has_a_component_from_its_creation_on(desk: Desk) -> None:
    job = train(desk, Tags=[{"Key": "team", "Value": "a"}])
    shown = component(desk)
    assert (shown["DisplayName"], shown["CreationTime"]) == ("job-aws-training-job", job.created)
    assert shown["Source"] == {"SourceArn": f"{ARN}:training-job/Job", "SourceType": "SageMakerTrainingJob"}
    assert shown["Status"]["PrimaryStatus"] == "InProgress"
    assert shown["Parameters"] == {
        "SageMaker.ImageUri": {"StringValue": IMAGE},
        "SageMaker.InstanceCount": {"NumberValue": 1.0},
        "SageMaker.InstanceType": {"StringValue": "ml.m5.large"},
        "SageMaker.VolumeSizeInGB": {"NumberValue": 30.0},
        "eta": {"StringValue": "0.2", "NumberValue": 0.2},
        "objective": {"StringValue": "binary:logistic"},
        "odd": {"StringValue": "nan"},
    }
    assert shown["InputArtifacts"] == {
        "train": {"MediaType": "text/csv", "Value": "s3://b/train"},
        "validation": {"Value": "s3://b/validation"},
    }
    assert shown["OutputArtifacts"] == {}
    assert "EndTime" not in shown
    tags = desk.do("ListTags", ResourceArn=shown["TrialComponentArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_a_component_follows_its_job_to_the_end(desk: Desk) -> None:
    train(desk)
    assert component(desk)["Status"]["PrimaryStatus"] == "InProgress"
    finish(desk)
    shown = component(desk)
    assert shown["Status"] == {
        "PrimaryStatus": "Completed",
        "Message": "Status: Completed, secondary status: Completed, failure reason: .",
    }
    assert (shown["StartTime"], shown["EndTime"]) == (1_700_000_001.0, 1_700_000_009.0)
    assert shown["OutputArtifacts"] == {"SageMaker.ModelArtifact": {"Value": MODEL}}
    assert shown["Metrics"] == []


def test_a_failed_job_says_why_and_has_made_nothing(desk: Desk) -> None:
    train(desk)
    move(desk, "TrainingJob", "Job", "Failed", SecondaryStatus="Failed", FailureReason="AlgorithmError: " + "x" * 2000)
    shown = component(desk)
    assert shown["Status"]["PrimaryStatus"] == "Failed"
    assert shown["Status"]["Message"].startswith(
        "Status: Failed, secondary status: Failed, failure reason: AlgorithmEr"
    )
    assert len(shown["Status"]["Message"]) == 1024
    assert around(desk, "job-aws-training-job")["out"] == []


def test_the_lineage_of_a_training_job(desk: Desk) -> None:
    train(desk, CheckpointConfig={"S3Uri": "s3://b/checkpoints"})
    read = [
        (IMAGE, "Image", "ContributedTo"),
        ("s3://b/train", "DataSet", "ContributedTo"),
        ("s3://b/validation", "DataSet", "ContributedTo"),
    ]
    assert around(desk, "job-aws-training-job") == {"in": read, "out": []}
    finish(desk)
    made = [("s3://b/checkpoints", "Checkpoint", "Produced"), (MODEL, "Model", "Produced")]
    assert around(desk, "job-aws-training-job") == {"in": read, "out": made}


def test_the_component_and_lineage_of_a_processing_job(desk: Desk) -> None:
    source = {"S3Uri": "s3://b/in", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    target = {"S3Uri": "s3://b/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    start(
        desk,
        "ProcessingJob",
        {},
        ProcessingJobName="p",
        AppSpecification={"ImageUri": "image"},
        ProcessingInputs=[{"InputName": "data", "S3Input": source}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "result", "S3Output": target}]},
        ProcessingResources={
            "ClusterConfig": {"InstanceType": "ml.t3.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
    )
    move(desk, "ProcessingJob", "p", "Completed")
    shown = component(desk, "p-aws-processing-job")
    assert shown["Status"]["Message"] == "Status: Completed, exit message: null, failure reason: null"
    assert shown["Parameters"] == {
        "SageMaker.InstanceCount": {"NumberValue": 1.0},
        "SageMaker.InstanceType": {"StringValue": "ml.t3.2xlarge"},
        "SageMaker.VolumeSizeInGB": {"NumberValue": 30.0},
    }
    assert shown["InputArtifacts"] == {"SageMaker.ImageUri": {"Value": "image"}, "data": {"Value": "s3://b/in"}}
    assert shown["OutputArtifacts"] == {"result": {"Value": "s3://b/out"}}
    assert around(desk, "p-aws-processing-job") == {
        "in": [("image", "Image", "ContributedTo"), ("s3://b/in", "DataSet", "ContributedTo")],
        "out": [("s3://b/out", "DataSet", "Produced")],
    }


def test_a_transform_job_reads_the_very_model_that_a_training_job_made(desk: Desk) -> None:
    train(desk)
    finish(desk)
    start(
        desk,
        "TransformJob",
        {"container": {"image": IMAGE, "model_data": MODEL}},
        TransformJobName="t",
        ModelName="m",
        TransformInput={"DataSource": {"S3DataSource": {"S3Uri": "s3://b/rows"}}, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": "s3://b/scores"},
        TransformResources={"InstanceType": "ml.c5.2xlarge", "InstanceCount": 1},
    )
    move(desk, "TransformJob", "t", "Completed")
    shown = component(desk, "t-aws-transform-job")
    assert shown["Status"]["Message"] == "Status: Completed, failure reason: null"
    assert shown["Parameters"] == {
        "SageMaker.InstanceCount": {"NumberValue": 1.0},
        "SageMaker.InstanceType": {"StringValue": "ml.c5.2xlarge"},
        "SageMaker.ModelName": {"StringValue": "m"},
        "SageMaker.ModelPrimary.DataUrl": {"StringValue": MODEL},
        "SageMaker.ModelPrimary.Image": {"StringValue": IMAGE},
    }
    rows = {"MediaType": "text/csv", "Value": "s3://b/rows"}
    assert shown["InputArtifacts"] == {"SageMaker.TransformInput": rows}
    assert shown["OutputArtifacts"] == {"SageMaker.TransformOutput": {"Value": "s3://b/scores"}}
    assert around(desk, "t-aws-transform-job")["in"] == [
        (IMAGE, "Image", "ContributedTo"),
        (MODEL, "Model", "ContributedTo"),
        ("s3://b/rows", "DataSet", "ContributedTo"),
    ]
    model = desk.do("ListArtifacts", SourceUri=MODEL)["ArtifactSummaries"]
    assert len(model) == 1
    vertices = desk.do("QueryLineage", StartArns=[model[0]["ArtifactArn"]], IncludeEdges=False)["Vertices"]
    assert {vertex.get("Type") for vertex in vertices} == {"TrainingJob", "TransformJob", "DataSet", "Image"}


def test_an_artifact_that_is_there_is_used_whatever_its_type(desk: Desk) -> None:
    mine = desk.do("CreateArtifact", Source={"SourceUri": "s3://b/train"}, ArtifactType="Mine", ArtifactName="n")
    train(desk)
    assert ("s3://b/train", "Mine", "ContributedTo") in around(desk, "job-aws-training-job")["in"]
    assert desk.do("DescribeArtifact", **mine)["ArtifactName"] == "n"


# --- experiments --------------------------------------------------------------------------------------------------


def experiment(desk: Desk, *trials: str) -> None:
    desk.do("CreateExperiment", ExperimentName="e")
    for trial in trials:
        desk.do("CreateTrial", TrialName=trial, ExperimentName="e")


def test_a_job_is_put_into_its_trial_under_its_display_name(desk: Desk) -> None:
    experiment(desk, "t")
    train(desk, ExperimentConfig={"TrialName": "T", "TrialComponentDisplayName": "Training"})
    found = desk.do("ListTrialComponents", ExperimentName="e")["TrialComponentSummaries"]
    assert [(item["TrialComponentName"], item["DisplayName"]) for item in found] == [
        ("job-aws-training-job", "Training")
    ]
    assert found[0]["TrialComponentSource"]["SourceType"] == "SageMakerTrainingJob"
    assert desk.refused("DeleteTrial", TrialName="t")[0] == "ValidationException"


def test_an_experiment_without_a_trial_gets_one_of_the_jobs_own(desk: Desk) -> None:
    experiment(desk)
    train(desk, ExperimentConfig={"ExperimentName": "e"})
    trials = desk.do("ListTrials", ExperimentName="e")["TrialSummaries"]
    assert [trial["TrialName"] for trial in trials] == ["job-aws-trial"]
    found = desk.do("ListTrialComponents", TrialName="job-aws-trial")["TrialComponentSummaries"]
    assert [item["TrialComponentName"] for item in found] == ["job-aws-training-job"]


def test_a_run_names_the_jobs_that_ran_in_it(desk: Desk) -> None:
    experiment(desk, "t")
    desk.do("CreateTrialComponent", TrialComponentName="e-run")
    train(desk, ExperimentConfig={"ExperimentName": "e", "TrialName": "t", "RunName": "e-run"})
    source = {"SourceArn": f"{ARN}:training-job/Job", "SourceType": "SageMakerTrainingJob"}
    assert component(desk, "e-run")["Sources"] == [source]
    asked = {
        "Resource": "ExperimentTrialComponent",
        "SearchExpression": {"Filters": [{"Name": "RunName", "Value": "e-run"}]},
    }
    found = [result["TrialComponent"]["TrialComponentName"] for result in desk.do("Search", **asked)["Results"]]
    assert found == ["job-aws-training-job"]


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        ({"ExperimentName": "none"}, "ResourceNotFound", f"Experiment '{ARN}:experiment/none' does not exist."),
        ({"TrialName": "none"}, "ResourceNotFound", f"Trial '{ARN}:experiment-trial/none' does not exist."),
        ({"ExperimentName": "f", "TrialName": "t"}, "ValidationException", "is not part of experiment"),
    ],
)
def test_a_config_must_name_what_exists(desk: Desk, config: dict[str, str], code: str, words: str) -> None:
    from emulator.behaviours import trials

    experiment(desk, "t")
    desk.do("CreateExperiment", ExperimentName="f")
    call = Call("sagemaker", "CreateTrainingJob", {"ExperimentConfig": config}, SCOPE)
    with pytest.raises(CallerFault, match=words) as fault:
        trials.check_config(desk.house, call)
    assert fault.value.code == code


def test_a_component_is_found_by_its_job_in_any_case(desk: Desk) -> None:
    train(desk)
    for arn in (f"{ARN}:training-job/Job", f"{ARN}:training-job/job"):
        found = desk.do("ListTrialComponents", SourceArn=arn)["TrialComponentSummaries"]
        assert [item["TrialComponentName"] for item in found] == ["job-aws-training-job"]
    assert desk.do("ListTrialComponents", SourceArn=f"{ARN}:training-job/other")["TrialComponentSummaries"] == []


# --- what was deleted, what was lost ------------------------------------------------------------------------------


def test_a_component_that_was_deleted_stays_deleted(desk: Desk) -> None:
    train(desk)
    component(desk)
    desk.do("DeleteTrialComponent", TrialComponentName="job-aws-training-job")
    finish(desk)
    assert desk.refused("DescribeTrialComponent", TrialComponentName="job-aws-training-job")[0] == "ResourceNotFound"
    assert desk.do("ListAssociations")["AssociationSummaries"] == [], "its associations ended with it"
    assert len(desk.do("ListArtifacts")["ArtifactSummaries"]) == 3


def test_a_job_that_is_deleted_at_once_leaves_its_component(desk: Desk) -> None:
    train(desk)
    move(desk, "TrainingJob", "Job", "Stopped")
    assert following.sees("DeleteTrainingJob")
    desk.house.followers.settle()
    desk.house.resources.remove("TrainingJob", SCOPE, "Job")
    assert component(desk)["Status"]["PrimaryStatus"] == "Stopped"


def test_what_was_not_written_yet_is_written_after_a_restart(desk: Desk) -> None:
    from emulator.house import House

    train(desk)
    again = House.__new__(House)
    again.__dict__ |= {name: value for name, value in desk.house.__dict__.items() if name != "followers"}
    again._furnish()
    try:
        again.followers.settle()
        assert component(desk)["Status"]["PrimaryStatus"] == "InProgress"
    finally:
        again.store.close()


def test_it_is_written_without_anybody_asking(desk: Desk) -> None:
    train(desk)
    find = desk.house.resources.find
    assert find("TrialComponent", SCOPE, "job-aws-training-job") is None
    desk.wait(following.SOON)
    assert find("TrialComponent", SCOPE, "job-aws-training-job") is not None


def test_a_job_of_which_nothing_can_follow_keeps_no_other_from_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from emulator.behaviours import tracking

    track = tracking.track

    def odd(rooms: Any, job: Record, fresh: bool) -> following.Writing:
        if job.key == "a":
            raise OSError("cannot be read")
        if job.key == "b":
            return lambda transaction: transaction.insert(job) and None  # a key that is taken
        return track(rooms, job, fresh)

    monkeypatch.setattr(tracking, "track", odd)
    for name in "abc":
        train(desk, TrainingJobName=name)
    found = desk.do("ListTrialComponents")["TrialComponentSummaries"]
    assert [item["TrialComponentName"] for item in found] == ["c-aws-training-job"]
    assert "cannot be read" in caplog.text
    assert desk.house.resources.reading(lambda transaction: transaction.marked(10)) == []


# --- metrics ------------------------------------------------------------------------------------------------------


def report(desk: Desk, *values: float) -> None:
    points = [Point("Job", "validation:rmse", value, 1_700_000_000.0 + 1 / value) for value in values]
    desk.house.metrics.of(SCOPE).append(points)


def test_metrics_of_a_job_are_seen_while_it_runs_and_kept_at_its_end(desk: Desk) -> None:
    train(desk)
    assert component(desk)["Metrics"] == []
    report(desk, 4.0, 2.0)
    growing = component(desk)["Metrics"]
    assert [(metric["MetricName"], metric["Count"], metric["Last"]) for metric in growing] == [
        ("validation:rmse", 2, 2.0)
    ]
    report(desk, 3.0)
    finish(desk)
    kept = component(desk)["Metrics"]
    desk.house.metrics.of(SCOPE).forget("Job")
    assert component(desk)["Metrics"] == kept
    assert kept == [
        {
            "MetricName": "validation:rmse",
            "SourceArn": f"{ARN}:training-job/Job",
            "TimeStamp": 1_700_000_000.5,
            "Max": 4.0,
            "Min": 2.0,
            "Last": 2.0,
            "Count": 3,
            "Avg": pytest.approx(3.0),
            "StdDev": pytest.approx(0.81649658),
        }
    ]
    filters = [{"Name": "Metrics.validation:rmse.Min", "Operator": "LessThan", "Value": "2.5"}]
    asked = {"Resource": "ExperimentTrialComponent", "SearchExpression": {"Filters": filters}}
    assert len(desk.do("Search", **asked)["Results"]) == 1
