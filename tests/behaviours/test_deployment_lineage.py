"""What model packages, their groups and endpoints leave in the lineage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator.call import Call
from emulator.hosts import lifecycle as life
from emulator.hosts.record import hidden_life
from emulator.store.records import Record
from tests.behaviours.conftest import ARN, SCOPE, Desk

IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
DATA = "s3://b/out/job/output/model.tar.gz"
PACKAGE = f"{ARN}:model-package/group/1"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": DATA}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def register(desk: Desk, **more: Any) -> str:
    if not desk.do("ListModelPackageGroups")["ModelPackageGroupSummaryList"]:
        desk.do("CreateModelPackageGroup", ModelPackageGroupName="group")
    given = {"ModelPackageGroupName": "group", "InferenceSpecification": SPECIFICATION, **more}
    return str(desk.do("CreateModelPackage", **given)["ModelPackageArn"])


def artifact(desk: Desk, uri: str) -> str:
    (found,) = desk.do("ListArtifacts", SourceUri=uri)["ArtifactSummaries"]
    return str(found["ArtifactArn"])


def context(desk: Desk, uri: str) -> dict[str, Any]:
    (found,) = desk.do("ListContexts", SourceUri=uri)["ContextSummaries"]
    return dict(found)


def actions(desk: Desk, uri: str) -> list[dict[str, Any]]:
    """The oldest first."""
    return list(desk.do("ListActions", SourceUri=uri, SortOrder="Ascending")["ActionSummaries"])


def into(desk: Desk, arn: str) -> dict[str, str]:
    found = desk.do("ListAssociations", DestinationArn=arn, MaxResults=100)["AssociationSummaries"]
    return {one["SourceArn"]: one["AssociationType"] for one in found}


# --- the registry -------------------------------------------------------------------------------------------------


def test_a_version_of_a_group_is_what_it_is_made_of_and_has_an_approval(desk: Desk) -> None:
    assert register(desk) == PACKAGE
    group = context(desk, f"{ARN}:model-package-group/group")
    assert group["ContextType"] == "ModelGroup"
    assert group["ContextName"] == f"group-{int(desk.house.clock.now())}-aws-model-group"
    package = artifact(desk, PACKAGE)
    assert desk.do("DescribeArtifact", ArtifactArn=package)["ArtifactType"] == "Model"
    (approval,) = actions(desk, PACKAGE)
    assert approval["ActionType"] == "Approval"
    assert approval["ActionName"].startswith("group-1-PendingManualApproval-")
    assert approval["ActionName"].endswith("-aws-model-package")
    assert into(desk, package) == {
        artifact(desk, IMAGE): "ContributedTo",
        artifact(desk, DATA): "ContributedTo",
        approval["ActionArn"]: "ContributedTo",
    }
    assert into(desk, group["ContextArn"]) == {package: "AssociatedWith"}
    assert desk.do("ListLineageGroups")["LineageGroupSummaries"], "it is there with the first entity"


def test_each_change_of_an_approval_is_an_action_and_other_changes_are_none(desk: Desk) -> None:
    register(desk)
    for status in ("Approved", "Rejected", "Approved"):  # within one second
        desk.do("UpdateModelPackage", ModelPackageArn=PACKAGE, ModelApprovalStatus=status)
        actions(desk, PACKAGE)
        desk.do("UpdateModelPackage", ModelPackageArn=PACKAGE, CustomerMetadataProperties={"k": status})
    names = [one["ActionName"].split("-")[2] for one in actions(desk, PACKAGE)]
    assert sorted(names) == ["Approved", "Approved", "PendingManualApproval", "Rejected"]
    assert len(into(desk, artifact(desk, PACKAGE))) == 2 + 4


def test_versions_share_their_group_and_what_they_have_in_common(desk: Desk) -> None:
    first, second = register(desk), register(desk)
    group = context(desk, f"{ARN}:model-package-group/group")
    assert set(into(desk, group["ContextArn"])) == {artifact(desk, first), artifact(desk, second)}
    vertices = desk.do("QueryLineage", StartArns=[artifact(desk, DATA)], Direction="Descendants", IncludeEdges=False)
    found = {vertex["Arn"] for vertex in vertices["Vertices"]}
    assert found == {artifact(desk, first), artifact(desk, second), group["ContextArn"]}


def test_a_package_without_a_group_has_neither_context_nor_approval(desk: Desk) -> None:
    given = {"ModelPackageName": "alone", "InferenceSpecification": SPECIFICATION}
    arn = desk.do("CreateModelPackage", **given)["ModelPackageArn"]
    assert set(into(desk, artifact(desk, arn))) == {artifact(desk, IMAGE), artifact(desk, DATA)}
    assert actions(desk, arn) == []


def test_the_artifact_of_a_package_outlives_it_and_stays_deleted_when_somebody_deletes_it(desk: Desk) -> None:
    register(desk)
    desk.do("DeleteModelPackage", ModelPackageName=PACKAGE)
    assert artifact(desk, PACKAGE)
    other = register(desk)
    package = artifact(desk, other)
    for source in into(desk, package):
        desk.do("DeleteAssociation", SourceArn=source, DestinationArn=package)
    group = context(desk, f"{ARN}:model-package-group/group")
    desk.do("DeleteAssociation", SourceArn=package, DestinationArn=group["ContextArn"])
    desk.do("DeleteArtifact", ArtifactArn=package)
    desk.do("UpdateModelPackage", ModelPackageArn=other, ModelApprovalStatus="Approved")
    assert desk.do("ListArtifacts", SourceUri=other)["ArtifactSummaries"] == []
    assert len(actions(desk, other)) == 1


def test_long_names_are_cut_not_refused(desk: Desk) -> None:
    name = "g" * 63
    desk.do("CreateModelPackageGroup", ModelPackageGroupName=name)
    for _ in range(3):
        arn = desk.do("CreateModelPackage", ModelPackageGroupName=name)["ModelPackageArn"]
    (approval,) = actions(desk, arn)
    assert len(approval["ActionName"]) <= 120
    assert "-3-PendingManualApproval-" in approval["ActionName"]


# --- endpoints ----------------------------------------------------------------------------------------------------


def configure(desk: Desk, name: str, **container: Any) -> None:
    primary = container or {"Image": IMAGE, "ModelDataUrl": DATA}
    desk.do("CreateModel", ModelName=name, PrimaryContainer=primary)
    variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    desk.do("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])


def deploy(desk: Desk, config: str) -> Record:
    """An endpoint's record as its operation and its engine would have written it."""
    endpoint = life.Endpoint(life.Phase.CREATING, config, 0, 1, config, 1)
    call = Call("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": config}, SCOPE)
    return desk.house.resources.create("Endpoint", call, status="Creating", hidden={"life": hidden_life(endpoint)})


def move(desk: Desk, endpoint: life.Endpoint) -> None:
    def edit(record: Record) -> Record:
        return replace(record, status=endpoint.phase.status, hidden={"life": hidden_life(endpoint)})

    desk.house.resources.change("Endpoint", SCOPE, "e", edit)


def test_an_endpoint_shows_what_was_deployed_to_it_and_how_that_went(desk: Desk) -> None:
    desk.do("CreateModelPackageGroup", ModelPackageGroupName="group")
    register(desk, ModelApprovalStatus="Approved")
    configure(desk, "of-package", ModelPackageName=PACKAGE)
    endpoint = deploy(desk, "of-package")
    shown = context(desk, endpoint.arn)
    assert shown["ContextType"] == "Endpoint"
    assert shown["ContextName"] == f"e-{int(endpoint.created)}-aws-endpoint"
    (action,) = actions(desk, endpoint.arn)
    assert (action["ActionType"], action["Status"]) == ("ModelDeployment", "InProgress")
    assert into(desk, shown["ContextArn"]) == {action["ActionArn"]: "AssociatedWith"}
    package = artifact(desk, PACKAGE)
    assert into(desk, action["ActionArn"]) == dict.fromkeys(
        (package, artifact(desk, IMAGE), artifact(desk, DATA)), "ContributedTo"
    )
    move(desk, life.Endpoint(life.Phase.IN_SERVICE, "of-package", 1, 0, "", 1))
    assert actions(desk, endpoint.arn)[0]["Status"] == "Completed"
    wanted = {"LineageTypes": ["Artifact"], "Types": ["Model"]}
    asked = {"Direction": "Ascendants", "IncludeEdges": False, "Filters": wanted}
    found = desk.do("QueryLineage", StartArns=[shown["ContextArn"]], **asked)["Vertices"]
    assert {vertex["Arn"] for vertex in found} == {package, artifact(desk, DATA)}


def test_another_configuration_is_another_deployment(desk: Desk) -> None:
    configure(desk, "one")
    configure(desk, "two", Image=IMAGE, ModelDataUrl="s3://b/two")
    endpoint = deploy(desk, "one")
    move(desk, life.Endpoint(life.Phase.IN_SERVICE, "one", 1, 0, "", 1))
    move(desk, life.Endpoint(life.Phase.UPDATING, "one", 1, 2, "two", 2))
    assert [one["Status"] for one in actions(desk, endpoint.arn)] == ["Completed", "InProgress"]
    move(desk, life.Endpoint(life.Phase.IN_SERVICE, "two", 2, 0, "", 2))
    first, second = actions(desk, endpoint.arn)
    assert [first["Status"], second["Status"]] == ["Completed", "Completed"]
    assert artifact(desk, "s3://b/two") in into(desk, second["ActionArn"])
    assert artifact(desk, DATA) in into(desk, first["ActionArn"])
    assert len(into(desk, context(desk, endpoint.arn)["ContextArn"])) == 2


def test_a_deployment_that_fails_says_so(desk: Desk) -> None:
    configure(desk, "one")
    endpoint = deploy(desk, "one")
    assert actions(desk, endpoint.arn)[0]["Status"] == "InProgress"
    move(desk, life.Endpoint(life.Phase.FAILED, "one", 0, 0, "", 1))
    assert [one["Status"] for one in actions(desk, endpoint.arn)] == ["Failed"]


def test_an_endpoint_that_is_gone_is_still_known_and_the_next_of_its_name_is_another(desk: Desk) -> None:
    configure(desk, "one")
    arn = deploy(desk, "one").arn
    desk.do("ListContexts")
    desk.house.resources.remove("Endpoint", SCOPE, "e")
    assert context(desk, arn)
    desk.wait(5)
    deploy(desk, "one")
    assert len(desk.do("ListContexts", SourceUri=arn)["ContextSummaries"]) == 2
    assert [one["Status"] for one in actions(desk, arn)] == ["InProgress", "InProgress"]


def test_a_configuration_that_is_gone_leaves_the_deployment_bare(desk: Desk) -> None:
    configure(desk, "one")
    endpoint = deploy(desk, "one")
    desk.house.resources.remove("EndpointConfig", SCOPE, "one")
    (action,) = actions(desk, endpoint.arn)
    assert into(desk, action["ActionArn"]) == {}
