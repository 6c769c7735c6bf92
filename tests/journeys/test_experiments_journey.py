"""A run of an experiment in the calls, and in the order, that the SageMaker Python SDK's `Run` makes."""

from __future__ import annotations

import hashlib
import time

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import training_request

RUN_TAG = [{"Key": "sagemaker:trial-component-source", "Value": "run"}]


@pytest.fixture
def names(client) -> dict[str, str]:
    """The names that a run called `try` of an experiment gets from the SDK."""
    experiment = client.name("experiment")
    return {"experiment": experiment, "trial": f"Default-Run-Group-{experiment}", "run": f"{experiment}-try"}


def found(client, **filters) -> list[dict]:
    given = [{"Name": name.replace("__", "."), "Operator": "Equals", "Value": value} for name, value in filters.items()]
    answer = client.sagemaker.search(Resource="ExperimentTrialComponent", SearchExpression={"Filters": given})
    return [result["TrialComponent"] for result in answer["Results"]]


def begin(client, names: dict[str, str]) -> None:
    """What `with Run(...)` asks before its body."""
    client.sagemaker.create_experiment(ExperimentName=names["experiment"])
    client.sagemaker.create_trial(TrialName=names["trial"], ExperimentName=names["experiment"])
    client.sagemaker.create_trial_component(TrialComponentName=names["run"], DisplayName="try", Tags=RUN_TAG)
    assert found(client, TrialComponentName=names["run"], Parents__TrialName=names["trial"]) == []
    client.sagemaker.associate_trial_component(TrialName=names["trial"], TrialComponentName=names["run"])
    status = {"PrimaryStatus": "InProgress"}
    client.sagemaker.update_trial_component(
        TrialComponentName=names["run"], DisplayName="try", StartTime=time.time(), Status=status
    )


def artifact(client, names: dict[str, str], label: str, content: bytes, direction: str) -> str:
    """What `log_artifact` and `log_file` ask; the ARN of the artifact."""
    bucket, key = client.bucket(), f"{names['experiment']}/{label}"
    client.s3.put_object(Bucket=bucket, Key=key, Body=content)
    tag = client.s3.head_object(Bucket=bucket, Key=key)["ETag"]
    source = {"SourceUri": f"s3://{bucket}/{key}", "SourceTypes": [{"SourceIdType": "S3ETag", "Value": tag}]}
    made = client.sagemaker.create_artifact(ArtifactName=label, ArtifactType="file", Source=source)["ArtifactArn"]
    run = client.sagemaker.describe_trial_component(TrialComponentName=names["run"])["TrialComponentArn"]
    ends = (
        {"SourceArn": made, "DestinationArn": run} if direction == "in" else {"SourceArn": run, "DestinationArn": made}
    )
    kind = "ContributedTo" if direction == "in" else "Produced"
    client.sagemaker.add_association(**ends, AssociationType=kind)
    assert tag.strip('"') == hashlib.md5(content).hexdigest()
    return made


def refused(do, **params) -> str:
    with pytest.raises(ClientError) as caught:
        do(**params)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return str(caught.value)


@pytest.mark.proves("sagemaker-metrics.BatchPutMetrics", "sagemaker-metrics.BatchGetMetrics")
@pytest.mark.proves("AssociateTrialComponent", "AddAssociation", "ListAssociations")
def test_a_run_is_logged_loaded_again_listed_and_found(client, names) -> None:
    sagemaker = client.sagemaker
    begin(client, names)
    metrics = client.of("sagemaker-metrics")
    for start in range(0, 25, 10):
        points = [
            {"MetricName": "loss", "Value": 1.0 / (step + 1), "Step": step, "Timestamp": str(int(time.time()))}
            for step in range(start, min(start + 10, 25))
        ]
        assert metrics.batch_put_metrics(TrialComponentName=names["run"], MetricData=points)["Errors"] == []
    read = artifact(client, names, "rows", b"1,2\n", "in")
    written = artifact(client, names, "notes", b"what was tried", "out")
    sagemaker.update_trial_component(
        TrialComponentName=names["run"],
        Parameters={"depth": {"NumberValue": 4.0}, "booster": {"StringValue": "gbtree"}},
        OutputArtifacts={"notes": {"Value": "s3://somewhere/notes", "MediaType": "text/plain"}},
        EndTime=time.time(),
        Status={"PrimaryStatus": "Completed"},
    )

    assert "already exists" in refused(sagemaker.create_experiment, ExperimentName=names["experiment"])
    assert sagemaker.describe_experiment(ExperimentName=names["experiment"])["DisplayName"] == names["experiment"]
    shown = sagemaker.describe_trial_component(TrialComponentName=names["run"])
    assert (shown["DisplayName"], shown["Status"]["PrimaryStatus"]) == ("try", "Completed")
    (loss,) = shown["Metrics"]
    assert (loss["MetricName"], loss["Count"], loss["Min"], loss["Max"], loss["Last"]) == ("loss", 25, 0.04, 1.0, 0.04)
    asked = {"MetricName": "loss", "ResourceArn": shown["TrialComponentArn"], "MetricStat": "Avg"}
    queries = [{**asked, "Period": "IterationNumber", "XAxisType": "IterationNumber"}]
    (answer,) = metrics.batch_get_metrics(MetricQueries=queries)["MetricQueryResults"]
    assert (answer["Status"], answer["XAxisValues"][:2], answer["MetricValues"][:2]) == ("Complete", [0, 1], [1.0, 0.5])

    (listed,) = sagemaker.list_trial_components(ExperimentName=names["experiment"])["TrialComponentSummaries"]
    assert listed["TrialComponentName"] == names["run"]
    (run,) = found(client, Parents__ExperimentName=names["experiment"])
    assert run["Parents"] == [{"ExperimentName": names["experiment"], "TrialName": names["trial"]}]
    assert run["Tags"] == RUN_TAG
    into = sagemaker.list_associations(DestinationArn=shown["TrialComponentArn"])["AssociationSummaries"]
    out_of = sagemaker.list_associations(SourceArn=shown["TrialComponentArn"])["AssociationSummaries"]
    assert [(one["SourceArn"], one["SourceName"]) for one in into] == [(read, "rows")]
    assert [(one["DestinationArn"], one["AssociationType"]) for one in out_of] == [(written, "Produced")]


def test_a_job_within_a_run_tells_what_it_was_given_and_how_it_went(client, names, training_data) -> None:
    sagemaker = client.sagemaker
    begin(client, names)
    config = {"ExperimentName": names["experiment"], "TrialName": names["trial"], "RunName": names["run"]}
    job = client.train(training_data, ExperimentConfig=config)
    assert job["ExperimentConfig"] == config
    arn = job["TrainingJobArn"]

    (listed,) = sagemaker.list_trial_components(SourceArn=arn.lower())["TrialComponentSummaries"]
    assert listed["TrialComponentName"] == f"{job['TrainingJobName']}-aws-training-job"
    assert listed["TrialComponentSource"] == {"SourceArn": arn.lower(), "SourceType": "SageMakerTrainingJob"}
    shown = sagemaker.describe_trial_component(TrialComponentName=listed["TrialComponentName"])
    assert shown["Status"]["PrimaryStatus"] == "Completed"
    assert shown["Parameters"]["num_round"] == {"StringValue": "10", "NumberValue": 10.0}
    assert shown["Parameters"]["objective"] == {"StringValue": "reg:squarederror"}
    assert shown["OutputArtifacts"]["SageMaker.ModelArtifact"]["Value"] == job["ModelArtifacts"]["S3ModelArtifacts"]
    assert (shown["StartTime"], shown["EndTime"]) == (job["TrainingStartTime"], job["TrainingEndTime"])
    finals = {one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]}
    assert {one["MetricName"]: one["Last"] for one in shown["Metrics"]} == pytest.approx(finals)
    run = sagemaker.describe_trial_component(TrialComponentName=names["run"])
    assert [one["SourceArn"] for one in run["Sources"]] == [arn.lower()]


def test_a_job_of_an_experiment_that_is_not_there_is_refused(client, training_data) -> None:
    request = training_request(client.name("job"), training_data)
    with pytest.raises(ClientError) as caught:
        client.sagemaker.create_training_job(**request, ExperimentConfig={"ExperimentName": "no-such-experiment"})
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"
    with pytest.raises(ClientError):
        client.sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])


@pytest.mark.proves("DisassociateTrialComponent")
def test_an_experiment_is_taken_down_from_the_bottom(client, names) -> None:
    sagemaker = client.sagemaker
    begin(client, names)
    assert "linked to 1 or more" in refused(sagemaker.delete_experiment, ExperimentName=names["experiment"])
    assert "linked to 1 or more" in refused(sagemaker.delete_trial, TrialName=names["trial"])
    run = names["run"]
    assert "is linked to 1 or more trials and cannot be deleted." in refused(
        sagemaker.delete_trial_component, TrialComponentName=run
    )
    for summary in sagemaker.list_trials(ExperimentName=names["experiment"])["TrialSummaries"]:
        trial = summary["TrialName"]
        for component in sagemaker.list_trial_components(TrialName=trial)["TrialComponentSummaries"]:
            ends = {"TrialName": trial, "TrialComponentName": component["TrialComponentName"]}
            sagemaker.disassociate_trial_component(**ends)
            sagemaker.delete_trial_component(TrialComponentName=ends["TrialComponentName"])
        sagemaker.delete_trial(TrialName=trial)
    assert sagemaker.delete_experiment(ExperimentName=names["experiment"])["ExperimentArn"].endswith(
        names["experiment"]
    )
    for describe, key in (("experiment", "experiment"), ("trial", "trial"), ("trial_component", "run")):
        member = f"{describe.title().replace('_', '')}Name"
        with pytest.raises(ClientError) as caught:
            getattr(sagemaker, f"describe_{describe}")(**{member: names[key]})
        assert caught.value.response["Error"]["Code"] == "ResourceNotFound"
