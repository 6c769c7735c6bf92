"""Definitions, schedules and alerts as records: what they watch must exist, and no execution is ever made up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.call import Call
from emulator.errors import InUse, NotFound, Validation
from tests.behaviours.houses import ROLE, SCOPE, Caller, caller

HOURLY = {"ScheduleExpression": "cron(0 * ? * * *)"}
NOTHING_RUNS = [{"Key": "sagelet:engine", "Value": "none"}]
RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
OUTPUTS = {"MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://b/out", "LocalPath": "/opt/ml/processing/out"}}]}
BATCH = {"DataCapturedDestinationS3Uri": "s3://b/in", "DatasetFormat": {"Csv": {}}, "LocalPath": "/opt/in"}
READ = {"S3InputMode": "File", "S3DataDistributionType": "FullyReplicated"}
TYPES = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


@pytest.fixture
def sagemaker() -> Iterator[Caller]:
    with caller() as made:
        yield made


def endpoint(sagemaker: Caller) -> None:
    """The record alone: nothing need serve it."""
    told = {"EndpointName": "e", "EndpointConfigName": "c"}
    sagemaker.house.resources.create("Endpoint", Call("sagemaker", "CreateEndpoint", told, SCOPE))


def watching(source: dict[str, Any]) -> dict[str, Any]:
    return {
        "MonitoringInputs": [source],
        "MonitoringOutputConfig": OUTPUTS,
        "MonitoringResources": RESOURCES,
        "MonitoringAppSpecification": {"ImageUri": "own:1"},
        "RoleArn": ROLE,
    }


def schedule(sagemaker: Caller, name: str = "s", when: dict[str, str] | None = None, **config: Any) -> str:
    told = {"ScheduleConfig": when or HOURLY, **config}
    if not config:
        told["MonitoringJobDefinition"] = watching({"BatchTransformInput": BATCH})
    answer = sagemaker.do("CreateMonitoringSchedule", MonitoringScheduleName=name, MonitoringScheduleConfig=told)
    return str(answer["MonitoringScheduleArn"])


def definition(sagemaker: Caller, kind: str, name: str = "d", endpoint_name: str = "e") -> str:
    truth = {} if kind in ("DataQuality", "ModelExplainability") else {"GroundTruthS3Input": {"S3Uri": "s3://b/t"}}
    source = {"EndpointInput": {"EndpointName": endpoint_name, "LocalPath": "/opt/in"}, **truth}
    config = {"ConfigUri": "s3://b/c"} if kind in ("ModelBias", "ModelExplainability") else {}
    answer = sagemaker.do(
        f"Create{kind}JobDefinition",
        JobDefinitionName=name,
        RoleArn=ROLE,
        JobResources=RESOURCES,
        **{
            f"{kind}AppSpecification": {"ImageUri": "own:1", **config},
            f"{kind}JobInput": source,
            f"{kind}JobOutputConfig": OUTPUTS,
        },
    )
    return str(answer["JobDefinitionArn"])


def described(sagemaker: Caller, name: str = "s") -> dict[str, Any]:
    return dict(sagemaker.do("DescribeMonitoringSchedule", MonitoringScheduleName=name))


@pytest.mark.parametrize("kind", TYPES)
def test_a_definition_is_kept_with_the_defaults_of_its_inputs_and_outputs(sagemaker: Caller, kind: str) -> None:
    arn = definition(sagemaker, kind, "D")
    told = sagemaker.do(f"Describe{kind}JobDefinition", JobDefinitionName="D")
    assert told["JobDefinitionArn"] == arn
    assert told[f"{kind}JobInput"]["EndpointInput"] == {"EndpointName": "e", "LocalPath": "/opt/in", **READ}
    assert told[f"{kind}JobOutputConfig"]["MonitoringOutputs"][0]["S3Output"]["S3UploadMode"] == "EndOfJob"
    assert told.get("StoppingCondition") == ({"MaxRuntimeInSeconds": 3600} if kind == "DataQuality" else None)


@pytest.mark.parametrize("kind", TYPES)
def test_definitions_are_listed_by_endpoint_and_name_newest_first(sagemaker: Caller, kind: str) -> None:
    for name, where in (("d-1", "e"), ("d-2", "other"), ("x-3", "e")):
        definition(sagemaker, kind, name, where)
        sagemaker.wait(1)

    def listed(**asked: Any) -> list[str]:
        found = sagemaker.pages(f"List{kind}JobDefinitions", "JobDefinitionSummaries", **asked)
        assert {"MonitoringJobDefinitionArn", "EndpointName"} <= set(found[0])
        return [one["MonitoringJobDefinitionName"] for one in found]

    assert listed() == ["x-3", "d-2", "d-1"]
    assert listed(EndpointName="e") == ["x-3", "d-1"]
    assert listed(NameContains="d-", SortBy="Name", SortOrder="Ascending") == ["d-1", "d-2"]
    assert listed(CreationTimeAfter=sagemaker.house.clock.now() - 1.5) == ["x-3"]


def test_a_definition_of_a_taken_name_is_refused_and_an_absent_one_is_told(sagemaker: Caller) -> None:
    definition(sagemaker, "ModelBias")
    with pytest.raises(InUse):
        definition(sagemaker, "ModelBias")
    sagemaker.do("DeleteModelBiasJobDefinition", JobDefinitionName="d")
    with pytest.raises(NotFound):
        sagemaker.do("DescribeModelBiasJobDefinition", JobDefinitionName="d")


def test_a_schedule_comes_to_rest_as_scheduled_and_says_that_nothing_runs_it(sagemaker: Caller) -> None:
    arn = schedule(sagemaker)
    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:monitoring-schedule/s"
    assert described(sagemaker)["MonitoringScheduleStatus"] == "Pending"
    sagemaker.wait(2)
    told = described(sagemaker)
    assert told["MonitoringScheduleStatus"] == "Scheduled"
    assert told["MonitoringType"] == told["MonitoringScheduleConfig"]["MonitoringType"] == "DataQuality"
    assert not {"LastMonitoringExecutionSummary", "EndpointName", "FailureReason"} & set(told)
    inline = told["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    assert inline["MonitoringInputs"] == [{"BatchTransformInput": {**BATCH, **READ}}]
    assert inline["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert sagemaker.do("ListTags", ResourceArn=arn)["Tags"] == NOTHING_RUNS


def test_no_execution_is_ever_made_up(sagemaker: Caller) -> None:
    now = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}
    schedule(sagemaker, when=now)
    sagemaker.wait(7200)
    nothing: dict[str, Any] = {"MonitoringExecutionSummaries": []}
    assert sagemaker.do("ListMonitoringExecutions", MonitoringScheduleName="s") == nothing
    assert sagemaker.do("ListMonitoringExecutions", MonitoringScheduleName="gone", EndpointName="e") == nothing
    assert "LastMonitoringExecutionSummary" not in described(sagemaker)


def test_a_schedule_names_a_definition_that_exists_and_its_endpoint(sagemaker: Caller) -> None:
    named = {"MonitoringJobDefinitionName": "d", "MonitoringType": "ModelQuality"}
    with pytest.raises(Validation, match=r"model-quality-job-definition/d' does not exist"):
        schedule(sagemaker, **named)
    definition(sagemaker, "ModelQuality")
    with pytest.raises(
        Validation, match='Could not find endpoint "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/e"'
    ):
        schedule(sagemaker, **named)
    endpoint(sagemaker)
    schedule(sagemaker, **named)
    told = described(sagemaker)
    assert (told["EndpointName"], told["MonitoringType"]) == ("e", "ModelQuality")
    assert told["MonitoringScheduleConfig"] == {"ScheduleConfig": HOURLY, **named}


def test_an_endpoint_of_an_inline_definition_must_exist(sagemaker: Caller) -> None:
    inline = watching({"EndpointInput": {"EndpointName": "e", "LocalPath": "/opt/in"}})
    with pytest.raises(Validation, match="Could not find endpoint"):
        schedule(sagemaker, MonitoringJobDefinition=inline)
    assert sagemaker.do("ListMonitoringSchedules") == {"MonitoringScheduleSummaries": []}


@pytest.mark.parametrize(
    "config",
    [
        {"MonitoringType": "DataQuality"},
        {"MonitoringJobDefinitionName": "d"},
        {
            "MonitoringJobDefinition": watching({"BatchTransformInput": BATCH}),
            "MonitoringJobDefinitionName": "d",
            "MonitoringType": "DataQuality",
        },
    ],
    ids=["neither", "no type", "both"],
)
def test_a_schedule_has_one_definition(sagemaker: Caller, config: dict[str, Any]) -> None:
    with pytest.raises(Validation, match="MonitoringJobDefinitionName"):
        schedule(sagemaker, **config)


@pytest.mark.parametrize(
    "when", ["cron(0 * ? * * *)", "cron(0 7 ? * * *)", "cron(0 17/12 ? * * *)", "cron(0 00/06 ? * * *)"]
)
def test_hours_are_what_a_schedule_may_tell(sagemaker: Caller, when: str) -> None:
    schedule(sagemaker, when={"ScheduleExpression": when})
    assert described(sagemaker)["MonitoringScheduleConfig"]["ScheduleConfig"] == {"ScheduleExpression": when}


@pytest.mark.parametrize(
    "when",
    [
        "cron(5 * ? * * *)",
        "cron(0 24 ? * * *)",
        "cron(0 1/25 ? * * *)",
        "Hourly: cron(0 * ? * * *)",
        "rate(1 hour)",
        "NOW",
    ],
)
def test_other_times_are_refused(sagemaker: Caller, when: str) -> None:
    with pytest.raises(Validation, match="ScheduleExpression"):
        schedule(sagemaker, when={"ScheduleExpression": when})


def test_a_schedule_is_stopped_and_started(sagemaker: Caller) -> None:
    schedule(sagemaker)
    with pytest.raises(Validation, match="Monitoring schedule in status Pending"):
        sagemaker.do("DeleteMonitoringSchedule", MonitoringScheduleName="s")
    sagemaker.wait(2)
    sagemaker.do("StopMonitoringSchedule", MonitoringScheduleName="s")
    assert described(sagemaker)["MonitoringScheduleStatus"] == "Stopped"
    sagemaker.do("StartMonitoringSchedule", MonitoringScheduleName="s")
    assert described(sagemaker)["MonitoringScheduleStatus"] == "Pending"
    sagemaker.wait(2)
    assert described(sagemaker)["MonitoringScheduleStatus"] == "Scheduled"
    sagemaker.do("DeleteMonitoringSchedule", MonitoringScheduleName="s")
    for verb in ("Describe", "Start", "Stop", "Delete"):
        with pytest.raises(NotFound, match=r"monitoring-schedule/s' does not exist"):
            sagemaker.do(f"{verb}MonitoringSchedule", MonitoringScheduleName="s")


def test_an_update_replaces_the_configuration_and_leaves_a_stopped_schedule_stopped(sagemaker: Caller) -> None:
    endpoint(sagemaker)
    definition(sagemaker, "DataQuality")
    named = {"ScheduleConfig": HOURLY, "MonitoringJobDefinitionName": "d", "MonitoringType": "DataQuality"}
    inline = {"MonitoringJobDefinition": watching({"BatchTransformInput": BATCH})}
    arn = schedule(sagemaker)
    sagemaker.wait(2)
    answer = sagemaker.do("UpdateMonitoringSchedule", MonitoringScheduleName="s", MonitoringScheduleConfig=named)
    assert answer == {"MonitoringScheduleArn": arn}
    told = described(sagemaker)
    assert (told["MonitoringScheduleStatus"], told["EndpointName"]) == ("Pending", "e")
    assert told["MonitoringScheduleConfig"] == named
    with pytest.raises(Validation, match="in status Pending"):
        sagemaker.do("UpdateMonitoringSchedule", MonitoringScheduleName="s", MonitoringScheduleConfig=named)
    sagemaker.wait(2)
    sagemaker.do("StopMonitoringSchedule", MonitoringScheduleName="s")
    sagemaker.do("UpdateMonitoringSchedule", MonitoringScheduleName="s", MonitoringScheduleConfig=inline)
    told = described(sagemaker)
    assert told["MonitoringScheduleStatus"] == "Stopped"
    assert "EndpointName" not in told
    source = told["MonitoringScheduleConfig"]["MonitoringJobDefinition"]["MonitoringInputs"][0]
    assert source["BatchTransformInput"]["S3InputMode"] == "File"


def test_an_update_tells_what_is_absent(sagemaker: Caller) -> None:
    named = {"MonitoringJobDefinitionName": "gone", "MonitoringType": "ModelBias"}
    with pytest.raises(NotFound, match="monitoring-schedule/s"):
        sagemaker.do("UpdateMonitoringSchedule", MonitoringScheduleName="s", MonitoringScheduleConfig=named)
    schedule(sagemaker)
    with pytest.raises(NotFound, match="model-bias-job-definition/gone"):
        sagemaker.do("UpdateMonitoringSchedule", MonitoringScheduleName="s", MonitoringScheduleConfig=named)


def test_schedules_are_listed_by_what_they_watch(sagemaker: Caller) -> None:
    endpoint(sagemaker)
    definition(sagemaker, "ModelBias", "bias")
    schedule(sagemaker, "a-batch")
    sagemaker.wait(3)
    schedule(sagemaker, "b-bias", MonitoringJobDefinitionName="bias", MonitoringType="ModelBias")

    def listed(**asked: Any) -> list[str]:
        found = sagemaker.pages("ListMonitoringSchedules", "MonitoringScheduleSummaries", **asked)
        return [one["MonitoringScheduleName"] for one in found]

    assert listed() == ["b-bias", "a-batch"]
    assert listed(SortBy="Name", SortOrder="Ascending", MaxResults=1) == ["a-batch", "b-bias"]
    assert listed(EndpointName="e") == listed(MonitoringJobDefinitionName="bias") == ["b-bias"]
    assert listed(MonitoringTypeEquals="DataQuality") == listed(StatusEquals="Scheduled") == ["a-batch"]
    assert listed(NameContains="bias", StatusEquals="Stopped") == []
    summary = sagemaker.do("ListMonitoringSchedules", EndpointName="e")["MonitoringScheduleSummaries"][0]
    assert (summary["MonitoringJobDefinitionName"], summary["MonitoringType"]) == ("bias", "ModelBias")


def test_a_schedule_has_one_alert_whose_criteria_can_be_changed(sagemaker: Caller) -> None:
    arn = schedule(sagemaker)
    asked = {"MonitoringScheduleName": "s"}
    (alert,) = sagemaker.pages("ListMonitoringAlerts", "MonitoringAlertSummaries", **asked)
    assert (alert["AlertStatus"], alert["DatapointsToAlert"], alert["EvaluationPeriod"]) == ("OK", 1, 1)
    before = described(sagemaker)
    sagemaker.wait(5)
    name = alert["MonitoringAlertName"]
    told = {"MonitoringAlertName": name, "DatapointsToAlert": 2, "EvaluationPeriod": 3}
    answer = sagemaker.do("UpdateMonitoringAlert", **asked, **told)
    assert answer == {"MonitoringScheduleArn": arn, "MonitoringAlertName": name}
    (changed,) = sagemaker.do("ListMonitoringAlerts", **asked)["MonitoringAlertSummaries"]
    assert (changed["DatapointsToAlert"], changed["EvaluationPeriod"]) == (2, 3)
    assert changed["LastModifiedTime"] == changed["CreationTime"] + 5
    assert changed["CreationTime"] == before["CreationTime"]
    assert sagemaker.do("ListMonitoringAlertHistory", **asked) == {"MonitoringAlertHistory": []}
    assert sagemaker.do("ListMonitoringAlertHistory") == {"MonitoringAlertHistory": []}


def test_absent_alerts_and_alerts_of_absent_schedules_are_told(sagemaker: Caller) -> None:
    criteria = {"DatapointsToAlert": 1, "EvaluationPeriod": 1}
    for operation, more in (
        ("ListMonitoringAlerts", {}),
        ("ListMonitoringAlertHistory", {}),
        ("UpdateMonitoringAlert", {"MonitoringAlertName": "s", **criteria}),
    ):
        with pytest.raises(NotFound, match="monitoring-schedule/s"):
            sagemaker.do(operation, MonitoringScheduleName="s", **more)
    schedule(sagemaker)
    for operation, more in (("ListMonitoringAlertHistory", {}), ("UpdateMonitoringAlert", criteria)):
        with pytest.raises(NotFound, match="Monitoring alert other"):
            sagemaker.do(operation, MonitoringScheduleName="s", MonitoringAlertName="other", **more)
    with pytest.raises(Validation, match="EvaluationPeriod"):
        sagemaker.do(
            "UpdateMonitoringAlert",
            MonitoringScheduleName="s",
            MonitoringAlertName="s",
            DatapointsToAlert=2,
            EvaluationPeriod=1,
        )
