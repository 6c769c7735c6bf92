"""Model packages and their groups: numbers, approval, sources, what may be deleted, and what a model of one runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.errors import NotBuilt
from emulator.hosts.models import containers_of
from tests.behaviours.conftest import ARN, SCOPE, Desk

ROLE = "arn:aws:iam::123456789012:role/Any"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://b/model.tar.gz"}
SPEC = {"Containers": [CONTAINER], "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}


@pytest.fixture
def group(desk: Desk) -> Desk:
    """A desk with a group `g`."""
    desk.do("CreateModelPackageGroup", ModelPackageGroupName="g")
    return desk


def register(desk: Desk, group: str = "g", **params: Any) -> str:
    """A version of a group; its ARN."""
    given = {"InferenceSpecification": SPEC, **params}
    return str(desk.do("CreateModelPackage", ModelPackageGroupName=group, **given)["ModelPackageArn"])


def listed(desk: Desk, **params: Any) -> list[str]:
    found = desk.do("ListModelPackages", **params)["ModelPackageSummaryList"]
    return [str(package["ModelPackageArn"]).removeprefix(f"{ARN}:model-package/") for package in found]


def test_a_version_is_described_as_the_developer_guide_shows_it(group: Desk) -> None:
    arn = register(group, ModelPackageDescription="d")
    assert arn == f"{ARN}:model-package/g/1"
    now = group.house.clock.now()
    described = group.do("DescribeModelPackage", ModelPackageName=arn)
    assert described == {
        "ModelPackageGroupName": "g",
        "ModelPackageVersion": 1,
        "ModelPackageArn": arn,
        "ModelPackageDescription": "d",
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": {},
        "LastModifiedBy": {},
        "InferenceSpecification": SPEC,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "PendingManualApproval",
    }
    assert group.do("DescribeModelPackage", ModelPackageName="g/1") == described
    (summary,) = group.do("ListModelPackages", ModelPackageGroupName="g")["ModelPackageSummaryList"]
    assert summary == {name: described[name] for name in summary}
    assert {"ModelPackageVersion", "ModelApprovalStatus", "ModelPackageStatus"} <= set(summary)


def test_exactly_one_of_the_two_names_is_given(group: Desk) -> None:
    both = group.refused("CreateModelPackage", ModelPackageGroupName="g", ModelPackageName="n")
    assert both == (
        "ValidationException",
        "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to use.",
    )
    assert group.refused("CreateModelPackage") == ("ValidationException", "Missing ARN.")
    absent = group.refused("CreateModelPackage", ModelPackageGroupName="none")
    assert absent == ("ValidationException", "Model Package Group does not exist.")
    code, message = group.refused(
        "CreateModelPackage", ModelPackageGroupName="g", Tags=[{"Key": "team", "Value": "blue"}]
    )
    assert code == "ValidationException" and "has the tags of its group" in message
    assert listed(group, ModelPackageType="Both") == []


def test_numbers_survive_deletion_and_groups_their_versions_only_when_those_are_gone(group: Desk) -> None:
    first, second = register(group), register(group, group=f"{ARN}:model-package-group/g")
    group.do("DeleteModelPackage", ModelPackageName=second)
    assert register(group) == f"{ARN}:model-package/g/3"
    assert group.refused("DeleteModelPackageGroup", ModelPackageGroupName="g") == (
        "ConflictException",
        "Model Package Group cannot be deleted, because it still contains Model Packages.",
    )
    for name in (first, "g/3"):
        group.do("DeleteModelPackage", ModelPackageName=name)
    gone = group.refused("DescribeModelPackage", ModelPackageName=first)
    assert gone == ("ValidationException", f"ModelPackage {first} does not exist.")
    group.do("DeleteModelPackageGroup", ModelPackageGroupName=f"{ARN}:model-package-group/g")
    assert group.do("ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []


def test_a_named_package_has_no_version_and_no_approval(desk: Desk) -> None:
    params = {"ModelPackageName": "Named", "InferenceSpecification": SPEC, "Tags": [{"Key": "team", "Value": "blue"}]}
    arn = desk.do("CreateModelPackage", **params)["ModelPackageArn"]
    assert arn == f"{ARN}:model-package/Named"
    described = desk.do("DescribeModelPackage", ModelPackageName="Named")
    assert described["ModelPackageName"] == "Named"
    assert not {"ModelPackageVersion", "ModelApprovalStatus", "ModelPackageGroupName"} & set(described)
    assert desk.do("ListTags", ResourceArn=arn)["Tags"] == params["Tags"]
    code, message = desk.refused("CreateModelPackage", ModelPackageName="Named")
    assert (code, message) == ("ValidationException", f"ModelPackage already exists: {arn}")
    spec = {"Containers": [{**CONTAINER, "Environment": {"A": "b"}}]}
    refused = desk.refused("CreateModelPackage", ModelPackageName="other", InferenceSpecification=spec)
    assert refused[1] == (
        "1 validation errors detected:Environment variable map cannot be specified when using "
        "non-versioned ModelPackages"
    )


def test_packages_are_listed_by_type_group_name_and_approval(group: Desk) -> None:
    group.do("CreateModelPackage", ModelPackageName="named")
    group.do("CreateModelPackageGroup", ModelPackageGroupName="other")
    register(group)
    group.wait(1)
    register(group, ModelApprovalStatus="Approved")
    group.wait(1)
    register(group, group="other")
    assert listed(group) == ["named"]
    assert listed(group, ModelPackageType="Unversioned") == ["named"]
    assert listed(group, ModelPackageType="Versioned") == ["other/1", "g/2", "g/1"]
    assert listed(group, ModelPackageType="Both", SortBy="Name", SortOrder="Ascending") == [
        "g/1",
        "g/2",
        "named",
        "other/1",
    ]
    assert listed(group, ModelPackageGroupName="g") == ["g/2", "g/1"]
    assert listed(group, ModelPackageGroupName=f"{ARN}:model-package-group/g", ModelPackageType="Unversioned") == []
    assert listed(group, ModelPackageGroupName="g", ModelApprovalStatus="Approved") == ["g/2"]
    assert listed(group, ModelPackageType="Both", NameContains="e") == ["other/1", "named"]
    assert listed(group, ModelPackageType="Versioned", NameContains="1") == [], "a version's number is no name"
    first = group.do("ListModelPackages", ModelPackageType="Versioned", MaxResults=2)
    rest = group.do("ListModelPackages", ModelPackageType="Versioned", MaxResults=2, NextToken=first["NextToken"])
    assert [len(page["ModelPackageSummaryList"]) for page in (first, rest)] == [2, 1]
    elsewhere = group.refused("ListModelPackages", ModelPackageType="Both", NextToken=first["NextToken"])
    assert "Invalid NextToken" in elsewhere[1]
    assert group.refused("ListModelPackages", ModelPackageGroupName="none")[0] == "ValidationException"


def test_approval_goes_every_way_and_says_why(group: Desk) -> None:
    arn = register(group)
    for status in ("Approved", "Rejected", "PendingManualApproval", "Approved"):
        group.wait(1)
        answer = group.do(
            "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=f"so: {status}"
        )
        assert answer == {"ModelPackageArn": arn}
        described = group.do("DescribeModelPackage", ModelPackageName=arn)
        assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == (status, f"so: {status}")
    assert described["LastModifiedTime"] == described["CreationTime"] + 4


def test_an_update_adds_what_it_says_to_add(group: Desk) -> None:
    arn = register(group, CustomerMetadataProperties={"a": "1", "b": "2"})
    additional = {"Name": "small", "Containers": [CONTAINER]}
    group.do(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a"],
        AdditionalInferenceSpecificationsToAdd=[additional],
        ModelLifeCycle={"Stage": "Production", "StageStatus": "Live"},
        SourceUri="s3://b/notebook.ipynb",
    )
    described = group.do("DescribeModelPackage", ModelPackageName=arn)
    assert described["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert described["AdditionalInferenceSpecifications"] == [additional]
    assert described["ModelLifeCycle"] == {"Stage": "Production", "StageStatus": "Live"}
    assert described["SourceUri"] == "s3://b/notebook.ipynb" and described["InferenceSpecification"] == SPEC
    again = {"ModelPackageArn": arn, "AdditionalInferenceSpecificationsToAdd": [additional]}
    assert "small is there already" in group.refused("UpdateModelPackage", **again)[1]
    many = [{"Name": f"n{number}", "Containers": [CONTAINER]} for number in range(15)]
    full = group.refused("UpdateModelPackage", ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=many)
    assert "at most 15" in full[1]
    other = {"Containers": [{"Image": "i"}]}
    group.do("UpdateModelPackage", ModelPackageArn=arn, InferenceSpecification=other)
    assert group.do("DescribeModelPackage", ModelPackageName=arn)["InferenceSpecification"] == other


def test_the_card_of_a_package_follows_the_schema_of_packages(group: Desk) -> None:
    content = json.dumps({"model_overview": {"model_creator": "me"}, "intended_uses": {"risk_rating": "Low"}})
    card = {"ModelCardContent": content, "ModelCardStatus": "Draft"}
    arn = register(group, ModelCard=card)
    assert group.do("DescribeModelPackage", ModelPackageName=arn)["ModelCard"] == card
    shown = group.do("DescribeModelPackage", ModelPackageName=arn, IncludedData="MetadataOnly")["ModelCard"]
    assert json.loads(shown["ModelCardContent"]) == {"intended_uses": {"risk_rating": "Low"}}
    wrong = {"ModelCardContent": json.dumps({"model_overview": {"model_name": "m"}}), "ModelCardStatus": "Draft"}
    assert (
        "model_overview.model_name is not a member"
        in group.refused("UpdateModelPackage", ModelPackageArn=arn, ModelCard=wrong)[1]
    )
    group.do("UpdateModelPackage", ModelPackageArn=arn, ModelCard={**card, "ModelCardStatus": "Archived"})
    assert group.refused("UpdateModelPackage", ModelPackageArn=arn, ModelCard=card) == (
        "ConflictException",
        "Model Card is in Archived state.",
    )


def test_a_package_is_made_of_a_model_of_another_package_or_of_an_algorithm(group: Desk) -> None:
    model = group.do(
        "CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={**CONTAINER, "Environment": {"A": "b"}}
    )["ModelArn"]
    of_model = group.do("CreateModelPackage", ModelPackageGroupName="g", SourceUri=model)["ModelPackageArn"]
    described = group.do("DescribeModelPackage", ModelPackageName=of_model)
    assert described["InferenceSpecification"] == {"Containers": [{**CONTAINER, "Environment": {"A": "b"}}]}
    assert described["SourceUri"] == model

    original = register(group, Domain="COMPUTER_VISION", CustomerMetadataProperties={"a": "1"})
    clone = group.do("CreateModelPackage", ModelPackageGroupName="g", SourceUri=original, Domain="OTHER")
    described = group.do("DescribeModelPackage", ModelPackageName=clone["ModelPackageArn"])
    assert described["InferenceSpecification"] == SPEC
    assert described["CustomerMetadataProperties"] == {"a": "1"} and described["Domain"] == "OTHER"
    assert described["ModelApprovalStatus"] == "PendingManualApproval" and described["ModelPackageVersion"] == 3

    training = {"TrainingImage": "i", "SupportedTrainingInstanceTypes": ["ml.m5.large"], "TrainingChannels": []}
    spec = {"Containers": [{"Image": "i"}], "SupportedContentTypes": ["text/csv"]}
    training["TrainingChannels"] = [
        {"Name": "train", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}
    ]
    group.do("CreateAlgorithm", AlgorithmName="a", TrainingSpecification=training, InferenceSpecification=spec)
    sources = {"SourceAlgorithms": [{"AlgorithmName": "a", "ModelDataUrl": "s3://b/trained.tar.gz"}]}
    arn = group.do("CreateModelPackage", ModelPackageGroupName="g", SourceAlgorithmSpecification=sources)
    described = group.do("DescribeModelPackage", ModelPackageName=arn["ModelPackageArn"])
    assert described["InferenceSpecification"] == {
        "Containers": [{"Image": "i", "ModelDataUrl": "s3://b/trained.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
    }
    for source in (f"{ARN}:model/none", f"{ARN}:model-package/g/99"):
        assert source in group.refused("CreateModelPackage", ModelPackageGroupName="g", SourceUri=source)[1]
    assert listed(group, ModelPackageGroupName="g") == ["g/4", "g/3", "g/2", "g/1"], "what was refused took no number"


def test_nothing_looks_as_if_it_had_been_validated(group: Desk) -> None:
    job = {
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}},
        "TransformOutput": {"S3OutputPath": "s3://b/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    wish = {"ValidationRole": ROLE, "ValidationProfiles": [{"ProfileName": "p", "TransformJobDefinition": job}]}
    with pytest.raises(NotBuilt, match="Validation is not built"):
        group.do("CreateModelPackage", ModelPackageName="n", ValidationSpecification=wish)
    group.do("CreateModelPackage", ModelPackageName="n", ValidationSpecification=wish, SkipModelValidation="All")
    described = group.do("DescribeModelPackage", ModelPackageName="n")
    assert described["SkipModelValidation"] == "All"
    assert described["ModelPackageStatusDetails"]["ValidationStatuses"] == []
    with pytest.raises(NotBuilt, match="models of public zoos"):
        group.do("ListModelMetadata")


def test_many_packages_are_described_at_once_with_the_errors_of_those_that_are_not_there(group: Desk) -> None:
    arn, absent = register(group), f"{ARN}:model-package/g/7"
    answer = group.do("BatchDescribeModelPackage", ModelPackageArnList=[arn, absent])
    summary = answer["ModelPackageSummaries"][arn]
    assert summary["ModelPackageVersion"] == 1 and summary["InferenceSpecification"] == SPEC
    assert "ModelPackageStatusDetails" not in summary
    assert answer["BatchDescribeModelPackageErrorMap"] == {
        absent: {"ErrorCode": "ValidationException", "ErrorResponse": f"ModelPackage {absent} does not exist."}
    }


def test_a_group_has_one_policy_while_it_has_one(group: Desk) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})
    name = {"ModelPackageGroupName": "g"}
    none = ("ValidationException", f"Cannot find resource policy for: {ARN}:model-package-group/g")
    assert group.refused("GetModelPackageGroupPolicy", **name) == none
    assert group.refused("DeleteModelPackageGroupPolicy", **name) == none
    group.do("PutModelPackageGroupPolicy", **name, ResourcePolicy=policy)
    assert group.do("GetModelPackageGroupPolicy", **name) == {"ResourcePolicy": policy}
    group.do("DeleteModelPackageGroupPolicy", **name)
    assert group.refused("GetModelPackageGroupPolicy", **name) == none
    assert group.refused("PutModelPackageGroupPolicy", **name, ResourcePolicy="{}")[0] == "ValidationException"
    absent = group.refused("GetModelPackageGroupPolicy", ModelPackageGroupName="x")
    assert absent == ("ValidationException", f"Cannot find Model Package Group: {ARN}:model-package-group/x")


def test_groups_of_other_accounts_are_not_here(group: Desk) -> None:
    assert group.do("ListModelPackageGroups", CrossAccountFilterOption="CrossAccount") == {
        "ModelPackageGroupSummaryList": []
    }
    (one,) = group.do("ListModelPackageGroups", CrossAccountFilterOption="SameAccount")["ModelPackageGroupSummaryList"]
    assert one["ModelPackageGroupStatus"] == "Completed"


def test_a_named_package_passes_its_statuses_and_a_version_is_complete_at_once(open_desk: Any) -> None:
    desk = open_desk(settle_seconds=2.0)
    desk.do("CreateModelPackage", ModelPackageName="n")
    assert desk.do("DescribeModelPackage", ModelPackageName="n")["ModelPackageStatus"] == "Pending"
    desk.do("CreateModelPackageGroup", ModelPackageGroupName="g")
    assert desk.do("DescribeModelPackageGroup", ModelPackageGroupName="g")["ModelPackageGroupStatus"] == "Completed"
    arn = register(desk, ModelApprovalStatus="Approved")
    assert desk.do("DescribeModelPackage", ModelPackageName=arn)["ModelPackageStatus"] == "Completed"
    assert "is Pending" in model(desk, "early", "n")[1]
    desk.wait(2)
    assert desk.do("DescribeModelPackage", ModelPackageName="n")["ModelPackageStatus"] == "Completed"


# --- models of packages -----------------------------------------------------------------------------------------------


def model(desk: Desk, name: str, package: str) -> tuple[str, str]:
    """The refusal of a model of a package."""
    return desk.refused(
        "CreateModel", ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package}
    )


def test_a_model_is_made_of_an_approved_package_only(group: Desk) -> None:
    arn = register(group)
    code, message = model(group, "m", arn)
    assert (
        code == "ValidationException" and "is not approved: its ModelApprovalStatus is PendingManualApproval" in message
    )
    assert model(group, "m", "none") == (
        "ValidationException",
        f"ModelPackage {ARN}:model-package/none does not exist.",
    )
    group.do("CreateModelPackage", ModelPackageName="empty")
    assert "has no InferenceSpecification" in model(group, "m", "empty")[1]
    group.do("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    group.do("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": arn}])
    assert group.do("DescribeModel", ModelName="m")["Containers"] == [{"ModelPackageName": arn}]


def test_a_model_runs_what_its_package_was_when_it_was_made(group: Desk) -> None:
    spec = {"Containers": [{**CONTAINER, "Environment": {"A": "1", "B": "2"}}]}
    additional = {"Name": "small", "Containers": [{"Image": "small-image"}]}
    arn = register(
        group,
        ModelApprovalStatus="Approved",
        InferenceSpecification=spec,
        AdditionalInferenceSpecifications=[additional],
    )
    container = {"ModelPackageName": arn, "Environment": {"B": "3"}}
    group.do("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    small = {"ModelPackageName": arn, "InferenceSpecificationName": "small"}
    group.do("CreateModel", ModelName="s", ExecutionRoleArn=ROLE, PrimaryContainer=small)
    group.do("DeleteModelPackage", ModelPackageName=arn)
    models = [group.house.resources.get("Model", SCOPE, name) for name in ("m", "s")]
    assert containers_of(models[0]) == [{**CONTAINER, "Environment": {"A": "1", "B": "3"}}]
    assert containers_of(models[1]) == [{"Image": "small-image", "Environment": {}}]
    other = {"ModelPackageName": arn, "Image": "i"}
    refused = group.refused("CreateModel", ModelName="x", ExecutionRoleArn=ROLE, PrimaryContainer=other)
    assert "cannot both be given" in refused[1]
