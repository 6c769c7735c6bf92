"""What the generic life does beside the round trip: errors, references, edits, tags, listings."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.errors import CallerFault, InUse, NotBuilt, NotFound, Validation
from emulator.kinds import KINDS
from emulator.resources import Hooks, Resources
from emulator.store import open_store

ARN = "arn:aws:sagemaker:eu-west-1:123456789012"
S3 = {"S3OutputPath": "s3://b/p"}


def models(registry: Any, *names: str) -> None:
    for name in names:
        registry.do("CreateModel", ModelName=name, PrimaryContainer={"Image": "i"})
        registry.clock.advance(1)


def jobs(registry: Any, *names: str) -> None:
    for name in names:
        registry.create("TrainingJob", TrainingJobName=name, OutputDataConfig=S3, RoleArn="r")
        registry.clock.advance(1)


def listed(registry: Any, **params: Any) -> list[str]:
    return [item["ModelName"] for item in registry.do("ListModels", **params)["Models"]]


# --- create and describe ---------------------------------------------------------------------------------------


def test_describe_answers_what_is_always_answered_and_nothing_empty(registry: Any) -> None:
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b"}}}
    registry.create(
        "TrainingJob", TrainingJobName="j", OutputDataConfig=S3, VpcConfig={}, InputDataConfig=[channel], RoleArn="r"
    )
    body = registry.do("DescribeTrainingJob", TrainingJobName="j")
    assert body["OutputDataConfig"] == {**S3, "KmsKeyId": "", "CompressionType": "GZIP"}
    assert body["InputDataConfig"][0]["CompressionType"] == "None"
    assert body["EnableManagedSpotTraining"] is False
    assert body["TrainingJobStatus"] == "InProgress"
    assert body["CreationTime"] == body["LastModifiedTime"] == 1_700_000_000.0
    assert "VpcConfig" not in body
    assert "TransformJob" not in body


def test_defaults_do_not_leak_from_one_record_into_the_next(registry: Any) -> None:
    spec = {"TrainingImage": "i", "SupportedTrainingInstanceTypes": [], "TrainingChannels": []}
    for name in ("a", "b"):
        registry.do("CreateAlgorithm", AlgorithmName=name, TrainingSpecification=spec)
    registry.resources.change(
        "Algorithm", Scope("123456789012", "eu-west-1"), "a", lambda r: replace(r, body={**r.body, "ProductId": "p"})
    )
    assert "ProductId" not in registry.do("DescribeAlgorithm", AlgorithmName="b")


def test_job_names_collide_whatever_their_case(registry: Any) -> None:
    jobs(registry, "My-Job")
    with pytest.raises(InUse, match=r"a training job with this name already exists \(arn:.*training-job/My-Job\)"):
        jobs(registry, "my-job")
    models(registry, "m", "M")


def test_names_are_free_in_another_region(registry: Any) -> None:
    models(registry, "m")
    elsewhere = Call("sagemaker", "CreateModel", {"ModelName": "m"}, Scope("123456789012", "us-east-1"))
    assert registry.resources.create("Model", elsewhere).arn == "arn:aws:sagemaker:us-east-1:123456789012:model/m"
    assert listed(registry) == ["m"]


def test_a_reference_must_exist_and_is_then_not_deletable(registry: Any) -> None:
    with pytest.raises(NotFound, match=r"Domain 'arn:.*:domain/d-none' does not exist"):
        registry.do("CreateUserProfile", DomainId="d-none", UserProfileName="u")
    domain = registry.do("CreateDomain", DomainName="d", AuthMode="IAM", DefaultUserSettings={})["DomainId"]
    assert domain.startswith("d-")
    registry.do("CreateUserProfile", DomainId=domain, UserProfileName="u")
    with pytest.raises(InUse, match="UserProfile"):
        registry.do("DeleteDomain", DomainId=domain)
    registry.do("DeleteUserProfile", DomainId=domain, UserProfileName="u")
    registry.do("DeleteDomain", DomainId=domain)


def test_what_describe_cannot_show_is_refused_at_create(registry: Any) -> None:
    where = {"Bucket": "b", "ObjectKey": "k"}
    with pytest.raises(NotBuilt, match="CreatePipeline with PipelineDefinitionS3Location"):
        registry.do("CreatePipeline", PipelineName="p", PipelineDefinitionS3Location=where, RoleArn="r")
    assert registry.told == []


def test_a_record_is_found_by_arn_as_well_as_by_name(registry: Any) -> None:
    spec = {"TrainingImage": "i"}
    arn = registry.do("CreateAlgorithm", AlgorithmName="a", TrainingSpecification=spec)["AlgorithmArn"]
    assert registry.do("DescribeAlgorithm", AlgorithmName=arn)["AlgorithmName"] == "a"
    models(registry, "m")
    with pytest.raises(CallerFault, match="does not exist"):
        registry.do("DescribeAlgorithm", AlgorithmName=f"{ARN}:model/m")


def test_secrets_of_a_request_are_not_echoed(registry: Any) -> None:
    oidc = {"ClientId": "c", "ClientSecret": "hush", "Issuer": "i"}
    registry.do("CreateWorkforce", WorkforceName="w", OidcConfig=oidc)
    assert registry.do("DescribeWorkforce", WorkforceName="w")["Workforce"]["OidcConfig"] == {
        "ClientId": "c",
        "Issuer": "i",
    }


# --- change, update, delete ------------------------------------------------------------------------------------


def test_a_change_keeps_status_and_times_in_step(registry: Any) -> None:
    jobs(registry, "j")
    scope = Scope("123456789012", "eu-west-1")
    by_status = registry.resources.change("TrainingJob", scope, "j", lambda r: replace(r, status="Completed"))
    assert by_status.body["TrainingJobStatus"] == "Completed"
    assert by_status.body["LastModifiedTime"] == by_status.modified == 1_700_000_001.0
    by_body = registry.resources.change(
        "TrainingJob", scope, "j", lambda r: replace(r, body={**r.body, "TrainingJobStatus": "Failed"})
    )
    assert by_body.status == "Failed"
    assert [record.key for record in registry.resources.unsettled("TrainingJob", ("Failed",))] == ["j"]
    assert registry.told[-1] == ("updated", "TrainingJob", "j")


def test_an_update_replaces_merges_and_removes(registry: Any) -> None:
    registry.do("CreateTrialComponent", TrialComponentName="t", Parameters={"a": {"NumberValue": 1}})
    registry.clock.advance(5)
    registry.do(
        "UpdateTrialComponent", TrialComponentName="t", DisplayName="shown", Parameters={"b": {"NumberValue": 2}}
    )
    body = registry.do("DescribeTrialComponent", TrialComponentName="t")
    assert body["DisplayName"] == "shown"
    assert set(body["Parameters"]) == {"a", "b"}
    assert body["LastModifiedTime"] - body["CreationTime"] == 5
    registry.do("UpdateTrialComponent", TrialComponentName="t", ParametersToRemove=["a"])
    assert set(registry.do("DescribeTrialComponent", TrialComponentName="t")["Parameters"]) == {"b"}
    with pytest.raises(NotBuilt, match="UpdateTrialComponent with Mood"):
        registry.do("UpdateTrialComponent", TrialComponentName="t", Mood="good")


def test_a_reaction_that_fails_does_not_undo_the_write() -> None:
    store = open_store()

    def publish(event: str, record: Any) -> None:
        raise RuntimeError

    from emulator.clock import ManualClock

    scope = Scope("123456789012", "eu-west-1")
    resources = Resources(store, KINDS, ManualClock(), Hooks(publish))
    resources.create("Model", Call("sagemaker", "CreateModel", {"ModelName": "m"}, scope))
    assert resources.get("Model", scope, "m").key == "m"
    store.close()


def test_computed_members_are_asked_for_at_describe() -> None:
    from emulator.clock import ManualClock

    store = open_store()
    hooks = Hooks(compute=lambda record, body: {**body, "Seen": record.key})
    resources = Resources(store, KINDS, ManualClock(), hooks)
    call = Call("sagemaker", "CreateModel", {"ModelName": "m"}, Scope("1", "eu-west-1"))
    resources.create("Model", call)
    assert resources.describe("Model", call)["Seen"] == "m"
    store.close()


# --- tags ------------------------------------------------------------------------------------------------------


def test_tags_are_added_overwritten_and_dropped(registry: Any) -> None:
    models(registry, "m")
    arn = f"{ARN}:model/m"
    registry.do("AddTags", ResourceArn=arn, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}])
    answer = registry.do("AddTags", ResourceArn=arn, Tags=[{"Key": "b", "Value": "3"}])
    assert answer["Tags"] == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}]
    registry.do("DeleteTags", ResourceArn=arn, TagKeys=["a", "unknown"])
    assert registry.do("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "3"}]
    registry.do("DeleteModel", ModelName="m")
    models(registry, "m")
    assert registry.do("ListTags", ResourceArn=arn)["Tags"] == [], "a new record of an old name starts without tags"


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([{"Key": "aws:x", "Value": ""}], "reserved"),
        ([{"Key": "AWS:x", "Value": ""}], "reserved"),
        ([{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}], "Duplicate tag key 'a'"),
        ([{"Key": str(n), "Value": ""} for n in range(51)], "at most 50"),
    ],
)
def test_bad_tags_are_refused_at_create_and_later(registry: Any, tags: list[dict[str, str]], message: str) -> None:
    with pytest.raises(Validation, match=message):
        registry.do("CreateModel", ModelName="bad", Tags=tags)
    with pytest.raises(CallerFault, match="Could not find model"):
        registry.do("DescribeModel", ModelName="bad")
    models(registry, "m")
    with pytest.raises(Validation, match=message):
        registry.do("AddTags", ResourceArn=f"{ARN}:model/m", Tags=tags)


def test_the_limit_of_tags_counts_those_there_are(registry: Any) -> None:
    models(registry, "m")
    arn = f"{ARN}:model/m"
    registry.do("AddTags", ResourceArn=arn, Tags=[{"Key": f"{n:02}", "Value": ""} for n in range(50)])
    registry.do("AddTags", ResourceArn=arn, Tags=[{"Key": "00", "Value": "again"}])
    with pytest.raises(Validation, match="51"):
        registry.do("AddTags", ResourceArn=arn, Tags=[{"Key": "new", "Value": ""}])


@pytest.mark.parametrize("operation", ["AddTags", "DeleteTags", "ListTags"])
def test_tags_of_nothing_are_refused(registry: Any, operation: str) -> None:
    params: dict[str, Any] = {"AddTags": {"Tags": []}, "DeleteTags": {"TagKeys": ["a"]}}.get(operation, {})
    with pytest.raises(Validation, match="Could not find the resource arn:none"):
        registry.do(operation, ResourceArn="arn:none", **params)


# --- listings --------------------------------------------------------------------------------------------------


def test_the_order_is_the_documented_one_unless_asked_otherwise(registry: Any) -> None:
    models(registry, "b", "a", "c")
    assert listed(registry) == ["c", "a", "b"], "newest first"
    assert listed(registry, SortOrder="Ascending") == ["b", "a", "c"]
    assert listed(registry, SortBy="Name", SortOrder="Ascending") == ["a", "b", "c"]
    jobs(registry, "b", "a")
    found = registry.do("ListTrainingJobs")["TrainingJobSummaries"]
    assert [item["TrainingJobName"] for item in found] == ["b", "a"], "as its SortOrder says"
    assert found[0]["TrainingJobStatus"] == "InProgress"
    for name in ("b", "a"):
        registry.create("ProcessingJob", ProcessingJobName=name)
        registry.clock.advance(1)
    found = registry.do("ListProcessingJobs")["ProcessingJobSummaries"]
    assert [item["ProcessingJobName"] for item in found] == ["b", "a"], "oldest first"


def test_filters(registry: Any) -> None:
    models(registry, "alpha", "beta", "alphabet")
    start = 1_700_000_000
    assert listed(registry, NameContains="alpha") == ["alphabet", "alpha"]
    assert listed(registry, NameContains="Alpha") == []
    second = datetime.fromtimestamp(start + 1, timezone.utc)
    assert listed(registry, CreationTimeAfter=second) == ["alphabet"]
    assert listed(registry, CreationTimeBefore=second) == ["alpha"]
    registry.do("CreateExperiment", ExperimentName="e1")
    registry.do("CreateExperiment", ExperimentName="e2")
    for experiment, trial in (("e1", "t1"), ("e2", "t2"), ("e1", "t3")):
        registry.do("CreateTrial", TrialName=trial, ExperimentName=experiment)
    found = registry.do("ListTrials", ExperimentName="e1", SortBy="Name", SortOrder="Ascending")["TrialSummaries"]
    assert [item["TrialName"] for item in found] == ["t1", "t3"]
    with pytest.raises(NotFound):
        registry.do("ListTrials", ExperimentName="none")
    for plan in ("arn:a", "arn:b"):
        registry.create("TrainingJob", TrainingJobName=plan[-1], ResourceConfig={"TrainingPlanArn": plan})
    found = registry.do("ListTrainingJobs", TrainingPlanArnEquals="arn:b")["TrainingJobSummaries"]
    assert [item["TrainingJobName"] for item in found] == ["b"], "a filter on a nested member"
    with pytest.raises(NotBuilt, match="ListModelPackages with ModelPackageType"):
        registry.do("ListModelPackages", ModelPackageType="Versioned")


def test_a_status_with_particulars_is_filtered_by_its_word(registry: Any) -> None:
    jobs(registry, "a", "b")
    warm = {"WarmPoolStatus": {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 3}}
    scope = Scope("123456789012", "eu-west-1")
    registry.resources.change("TrainingJob", scope, "b", lambda r: replace(r, body={**r.body, **warm}))
    found = registry.do("ListTrainingJobs", WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert [(job["TrainingJobName"], job["WarmPoolStatus"]) for job in found] == [("b", warm["WarmPoolStatus"])]
    assert registry.do("ListTrainingJobs", WarmPoolStatusEquals="InUse")["TrainingJobSummaries"] == []


def pages(registry: Any, operation: str, member: str, **params: Any) -> list[list[dict[str, Any]]]:
    found = []
    token: dict[str, str] = {}
    while True:
        answer = registry.do(operation, **params, **token)
        found.append(answer[member])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def test_ten_at_a_time_and_no_token_on_the_last_page(registry: Any) -> None:
    models(registry, *(f"m{n:02}" for n in range(20)))
    assert [len(page) for page in pages(registry, "ListModels", "Models")] == [10, 10]
    assert [len(page) for page in pages(registry, "ListModels", "Models", MaxResults=7)] == [7, 7, 6]
    nested = pages(registry, "ListModels", "Models", NameContains="m1", MaxResults=3)
    assert [item["ModelName"] for page in nested for item in page] == [f"m{n}" for n in range(19, 9, -1)]


def test_a_page_of_fewer_than_one_record_is_refused(registry):
    """Some list calls have no lower bound in the model; a page of -1 made the store answer nothing at all."""
    registry.create("DeviceFleet", DeviceFleetName="f", OutputConfig={"S3OutputLocation": "s3://b"})
    for query in ({}, {"CreationTimeAfter": 0.0}):
        with pytest.raises(Validation, match=r"'-1' at 'maxResults'.* greater than or equal to 1"):
            registry.do("ListDeviceFleets", MaxResults=-1, **query)


def test_pages_stay_together_while_records_come_and_go(registry: Any) -> None:
    models(registry, *(f"m{n}" for n in range(6)))
    first = registry.do("ListModels", MaxResults=2)
    models(registry, "newcomer")
    registry.do("DeleteModel", ModelName="m4")
    second = registry.do("ListModels", MaxResults=2, NextToken=first["NextToken"])
    assert [item["ModelName"] for item in first["Models"]] == ["m5", "m4"]
    assert [item["ModelName"] for item in second["Models"]] == ["m3", "m2"]


def test_records_of_one_instant_are_neither_lost_nor_repeated(registry: Any) -> None:
    for n in range(7):
        registry.do("CreateModel", ModelName=f"m{n}")
    found = [item["ModelName"] for page in pages(registry, "ListModels", "Models", MaxResults=2) for item in page]
    assert sorted(found) == [f"m{n}" for n in range(7)]


def test_training_jobs_are_filtered_after_the_page_is_cut(registry: Any) -> None:
    """API_ListTrainingJobs: MaxResults jobs are retrieved first, and only those are filtered by StatusEquals."""
    jobs(registry, "a", "b", "c", "d")
    scope = Scope("123456789012", "eu-west-1")
    registry.resources.change("TrainingJob", scope, "a", lambda r: replace(r, status="Completed"))
    wanted = {"MaxResults": 2, "StatusEquals": "Completed"}
    found = pages(registry, "ListTrainingJobs", "TrainingJobSummaries", **wanted)
    assert [[item["TrainingJobName"] for item in page] for page in found] == [["a"], []]


def test_clusters_are_evaluated_a_page_at_a_time_whatever_the_filter(registry: Any) -> None:
    """API_ListClusters: MaxResults is the number of clusters to evaluate, not of those that match."""
    for name in ("red", "blue", "redder"):
        registry.create("Cluster", ClusterName=name)
        registry.clock.advance(1)
    found = pages(registry, "ListClusters", "ClusterSummaries", MaxResults=2, NameContains="red")
    assert [[item["ClusterName"] for item in page] for page in found] == [["red"], ["redder"]]


def test_a_page_has_the_documented_number_of_records_where_the_request_does_not_say(registry: Any) -> None:
    for n in range(12):
        registry.create("Model", ModelName=f"m{n}")
        registry.create("OptimizationJob", OptimizationJobName=f"o{n}")
    assert len(registry.do("ListModels")["Models"]) == 10
    assert len(registry.do("ListOptimizationJobs")["OptimizationJobSummaries"]) == 12


def test_a_filter_on_what_all_records_share_finds_all_or_none(registry: Any) -> None:
    registry.do("CreatePipeline", PipelineName="mine", PipelineDefinition="{}", RoleArn="r", ClientRequestToken="t")
    assert len(registry.do("ListPipelines", ManagedBy="CUSTOMER")["PipelineSummaries"]) == 1
    assert registry.do("ListPipelines", ManagedBy="AWS") == {"PipelineSummaries": []}


def test_other_kinds_are_filtered_before(registry: Any) -> None:
    scope = Scope("123456789012", "eu-west-1")
    for n in range(4):
        registry.create("Endpoint", EndpointName=f"e{n}", EndpointConfigName="c")
    registry.resources.change("Endpoint", scope, "e3", lambda r: replace(r, status="InService"))
    answer = registry.do("ListEndpoints", MaxResults=1, StatusEquals="InService")
    assert [item["EndpointName"] for item in answer["Endpoints"]] == ["e3"]
    assert "NextToken" not in answer


@pytest.mark.parametrize("token", ["x", "!!", "e30=", "bnVsbA==", "WzEsMiwzXQ==", "ü"])
def test_a_garbled_token_is_refused(registry: Any, token: str) -> None:
    with pytest.raises(Validation, match="Invalid NextToken"):
        registry.do("ListModels", NextToken=token)


def test_a_token_is_good_for_its_own_request_only(registry: Any) -> None:
    models(registry, "a", "b", "c")
    token = registry.do("ListModels", MaxResults=1)["NextToken"]
    assert len(listed(registry, MaxResults=2, NextToken=token)) == 2
    for other in ({"NameContains": "a"}, {"SortBy": "Name"}, {"SortOrder": "Ascending"}):
        with pytest.raises(Validation, match="Invalid NextToken"):
            registry.do("ListModels", NextToken=token, **other)
    with pytest.raises(Validation, match="Invalid NextToken"):
        registry.do("ListEndpointConfigs", NextToken=token)


@pytest.mark.parametrize("position", [["name", 1], [1.0, "m"], ["\ud800", "m"], ["m", "\ud800"], ["m", None], ["m"]])
def test_a_token_that_somebody_made_up_is_refused(registry: Any, position: list[Any]) -> None:
    models(registry, "a", "b")
    asked = {"SortBy": "Name", "MaxResults": 1}
    print_, *_ = json.loads(base64.urlsafe_b64decode(registry.do("ListModels", **asked)["NextToken"]))
    token = base64.urlsafe_b64encode(json.dumps([print_, *position]).encode()).decode()
    with pytest.raises(Validation, match="Invalid NextToken"):
        registry.do("ListModels", **asked, NextToken=token)


def test_a_filter_that_no_index_knows_reads_on_until_the_page_is_full(registry: Any) -> None:
    for n in range(450):
        kind = "rare" if n % 150 == 0 else "common"
        registry.do("CreateContext", ContextName=f"c{n:03}", Source={"SourceUri": "s"}, ContextType=kind)
    found = pages(registry, "ListContexts", "ContextSummaries", ContextType="rare", MaxResults=2)
    assert [[item["ContextName"] for item in page] for page in found] == [["c300", "c150"], ["c000"]]
