"""Artifacts, contexts, actions and their associations, and the group that they are in."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from emulator.call import Scope
from tests.behaviours.conftest import ARN, SCOPE, Desk

DEFAULT = "sagemaker-default-lineage-group"


def artifact(desk: Desk, uri: str, kind: str = "DataSet", **more: Any) -> str:
    answer = desk.do("CreateArtifact", Source={"SourceUri": uri}, ArtifactType=kind, **more)
    return str(answer["ArtifactArn"])


def context(desk: Desk, name: str, kind: str = "Endpoint", uri: str = "arn:x") -> str:
    answer = desk.do("CreateContext", ContextName=name, Source={"SourceUri": uri}, ContextType=kind)
    return str(answer["ContextArn"])


def action(desk: Desk, name: str, kind: str = "ModelDeployment", uri: str = "arn:x") -> str:
    answer = desk.do("CreateAction", ActionName=name, Source={"SourceUri": uri}, ActionType=kind, Status="InProgress")
    return str(answer["ActionArn"])


def add(desk: Desk, source: str, destination: str, how: str | None = "ContributedTo") -> dict[str, Any]:
    given = {"AssociationType": how} if how else {}
    return desk.do("AddAssociation", SourceArn=source, DestinationArn=destination, **given)


def pairs(desk: Desk, **params: Any) -> list[tuple[str, str]]:
    found = desk.do("ListAssociations", **params)["AssociationSummaries"]
    return [(item["SourceArn"], item["DestinationArn"]) for item in found]


# --- entities -----------------------------------------------------------------------------------------------------


def test_there_is_one_artifact_for_a_source(desk: Desk) -> None:
    arn = artifact(desk, "s3://b/a", ArtifactName="n", Properties={"k": "v"})
    assert arn.rpartition("/")[0] == f"{ARN}:artifact"
    assert len(arn.rpartition("/")[2]) == 32
    code, message = desk.refused("CreateArtifact", Source={"SourceUri": "s3://b/a"}, ArtifactType="Model")
    assert code == "ValidationException"
    assert "already exists" in message
    assert "s3://b/a" in message
    artifact(desk, "s3://b/b", ArtifactName="n")
    shown = desk.do("DescribeArtifact", ArtifactArn=arn)
    assert (shown["ArtifactName"], shown["Source"], shown["Properties"]) == ("n", {"SourceUri": "s3://b/a"}, {"k": "v"})
    assert shown["LineageGroupArn"] == f"{ARN}:lineage-group/{DEFAULT}"
    there = Scope(SCOPE.account, "us-east-1")
    other = desk.do("CreateArtifact", there, Source={"SourceUri": "s3://b/a"}, ArtifactType="Model")["ArtifactArn"]
    assert other.rpartition("/")[2] == arn.rpartition("/")[2], "the same source has the same id everywhere"


def test_an_artifact_is_deleted_by_its_arn_or_its_source(desk: Desk) -> None:
    first, second = artifact(desk, "s3://b/a"), artifact(desk, "s3://b/b")
    assert desk.do("DeleteArtifact", ArtifactArn=first) == {"ArtifactArn": first}
    assert desk.do("DeleteArtifact", Source={"SourceUri": "s3://b/b"}) == {"ArtifactArn": second}
    assert desk.refused("DeleteArtifact", Source={"SourceUri": "s3://b/b"})[0] == "ResourceNotFound"
    assert desk.refused("DeleteArtifact")[0] == "ValidationException"
    assert artifact(desk, "s3://b/a") == first, "it may be made again"


def test_properties_are_replaced_and_removed(desk: Desk) -> None:
    """As test_artifact.py of the SDK's integration tests expects of the service."""
    arn = artifact(desk, "s3://b/a", Properties={"k1": "v1", "k2": "v2"})
    desk.do("UpdateArtifact", ArtifactArn=arn, Properties={"k3": "v3"}, PropertiesToRemove=["k1"], ArtifactName="new")
    shown = desk.do("DescribeArtifact", ArtifactArn=arn)
    assert (shown["Properties"], shown["ArtifactName"]) == ({"k3": "v3"}, "new")
    name = action(desk, "a").rpartition("/")[2]
    desk.do("UpdateAction", ActionName=name, Status="Completed", Properties={"x": "1"})
    shown = desk.do("DescribeAction", ActionName=f"{ARN}:action/a")
    assert (shown["Status"], shown["Properties"]) == ("Completed", {"x": "1"})


def test_entities_are_listed_by_source_type_and_time(desk: Desk) -> None:
    for number, kind in enumerate(("DataSet", "Model", "DataSet")):
        artifact(desk, f"s3://b/{number}", kind)
        context(desk, f"c{number}", kind, f"arn:{number % 2}")
        action(desk, f"a{number}", kind, f"arn:{number % 2}")
        desk.wait(1)
    listed = desk.do("ListArtifacts", ArtifactType="DataSet")["ArtifactSummaries"]
    assert [item["Source"]["SourceUri"] for item in listed] == ["s3://b/2", "s3://b/0"], "newest first"
    assert len(desk.do("ListArtifacts", SourceUri="s3://b/1")["ArtifactSummaries"]) == 1
    found = desk.do("ListContexts", SourceUri="arn:0", SortBy="Name", SortOrder="Ascending")["ContextSummaries"]
    assert [item["ContextName"] for item in found] == ["c0", "c2"]
    found = desk.do("ListActions", SourceUri="arn:0", ActionType="Model")["ActionSummaries"]
    assert found == []
    since = datetime.fromtimestamp(desk.house.clock.now() - 1.5, timezone.utc)
    found = desk.do("ListActions", CreatedAfter=since)["ActionSummaries"]
    assert [(item["ActionName"], item["Status"]) for item in found] == [("a2", "InProgress")]


@pytest.mark.parametrize("noun", ["Context", "Action"])
def test_names_are_taken_once(desk: Desk, noun: str) -> None:
    make = context if noun == "Context" else action
    make(desk, "n")
    params = {f"{noun}Name": "n", "Source": {"SourceUri": "y"}, f"{noun}Type": "t"}
    code, message = desk.refused(f"Create{noun}", **params)
    assert (code, "already exists" in message) == ("ValidationException", True)


# --- associations -------------------------------------------------------------------------------------------------


def test_an_association_shows_types_and_names_of_its_ends(desk: Desk) -> None:
    data, endpoint = artifact(desk, "s3://b/a", ArtifactName="rows"), context(desk, "c")
    assert add(desk, data, endpoint) == {"SourceArn": data, "DestinationArn": endpoint}
    assert desk.do("ListAssociations")["AssociationSummaries"] == [
        {
            "SourceArn": data,
            "DestinationArn": endpoint,
            "SourceType": "DataSet",
            "DestinationType": "Endpoint",
            "AssociationType": "ContributedTo",
            "SourceName": "rows",
            "DestinationName": "c",
            "CreationTime": desk.house.clock.now(),
        }
    ]
    desk.do("UpdateArtifact", ArtifactArn=data, ArtifactName="others")
    assert desk.do("ListAssociations")["AssociationSummaries"][0]["SourceName"] == "others"
    nameless = artifact(desk, "s3://b/b")
    add(desk, endpoint, nameless, None)
    summary = desk.do("ListAssociations", DestinationArn=nameless)["AssociationSummaries"][0]
    assert not {"AssociationType", "DestinationName"} & set(summary)


def test_two_are_associated_once_in_each_direction(desk: Desk) -> None:
    one, other = artifact(desk, "s3://b/a"), artifact(desk, "s3://b/b")
    add(desk, one, other)
    add(desk, other, one)
    code, message = desk.refused("AddAssociation", SourceArn=one, DestinationArn=other, AssociationType="Produced")
    assert code == "ValidationException"
    assert "must be unique" in message
    assert "already exists" in message
    assert desk.do("DeleteAssociation", SourceArn=one, DestinationArn=other)["SourceArn"] == one
    assert desk.refused("DeleteAssociation", SourceArn=one, DestinationArn=other)[0] == "ResourceNotFound"
    assert pairs(desk) == [(other, one)]


def test_an_association_of_another_region_is_out_of_reach(desk: Desk) -> None:
    ends = artifact(desk, "s3://b/a"), artifact(desk, "s3://b/b")
    add(desk, *ends)
    elsewhere = Scope(SCOPE.account, "us-east-1")
    given = {"SourceArn": ends[0], "DestinationArn": ends[1]}
    assert desk.refused("DeleteAssociation", scope=elsewhere, **given)[0] == "ResourceNotFound"
    assert desk.refused("AddAssociation", scope=elsewhere, **given)[0] == "ResourceNotFound"
    assert desk.do("ListAssociations", elsewhere, SourceArn=ends[0])["AssociationSummaries"] == []
    assert pairs(desk) == [ends]


def test_what_is_associated_exists_and_is_not_all_experiment(desk: Desk) -> None:
    one, absent = artifact(desk, "s3://b/a"), f"{ARN}:context/none"
    missing = "ResourceNotFound", f"Context '{absent}' does not exist."
    assert desk.refused("AddAssociation", SourceArn=one, DestinationArn=absent) == missing
    elsewhere = one.replace("eu-west-1", "us-east-1")
    assert desk.refused("AddAssociation", SourceArn=elsewhere, DestinationArn=one)[0] == "ResourceNotFound"
    experiment = desk.do("CreateExperiment", ExperimentName="e")["ExperimentArn"]
    component = desk.do("CreateTrialComponent", TrialComponentName="c")["TrialComponentArn"]
    code, _ = desk.refused("AddAssociation", SourceArn=experiment, DestinationArn=component)
    assert code == "ValidationException"
    add(desk, component, one)
    add(desk, experiment, one)
    assert len(pairs(desk, DestinationArn=one)) == 2


def test_associations_are_narrowed_in_every_way(desk: Desk) -> None:
    data, model = artifact(desk, "s3://b/a", "DataSet"), artifact(desk, "s3://b/b", "Model")
    endpoint = context(desk, "c", "Endpoint")
    add(desk, data, model, "ContributedTo")
    desk.wait(10)
    add(desk, model, endpoint, "AssociatedWith")
    desk.wait(10)
    add(desk, data, endpoint, "ContributedTo")
    assert pairs(desk) == [(data, endpoint), (model, endpoint), (data, model)], "newest first"
    assert pairs(desk, SourceArn=data, SortOrder="Ascending") == [(data, model), (data, endpoint)]
    assert pairs(desk, DestinationArn=endpoint) == [(data, endpoint), (model, endpoint)]
    assert pairs(desk, SourceArn=data, DestinationArn=model) == [(data, model)]
    assert pairs(desk, SourceType="Model") == [(model, endpoint)]
    assert pairs(desk, SourceArn=data, DestinationType="Model") == [(data, model)]
    assert pairs(desk, AssociationType="AssociatedWith") == [(model, endpoint)]
    second = datetime.fromtimestamp(desk.house.clock.now() - 10, timezone.utc)
    assert pairs(desk, CreatedAfter=second) == [(data, endpoint)]
    assert pairs(desk, CreatedBefore=second) == [(data, model)]
    assert pairs(desk, SourceArn=f"{ARN}:artifact/none") == []


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("by", ["SourceArn", "DestinationArn", "SourceType", "DestinationType", "CreationTime"])
def test_pages_of_associations_join_in_every_order(desk: Desk, by: str, order: str) -> None:
    things = [artifact(desk, f"s3://b/{number}", "ABC"[number % 3]) for number in range(5)]
    for source in things:
        for destination in things:
            if source < destination:
                add(desk, source, destination)
                desk.wait(1)
    whole = desk.do("ListAssociations", SortBy=by, SortOrder=order, MaxResults=100)["AssociationSummaries"]
    values = [item[by] for item in whole]
    assert values == sorted(values, reverse=order == "Descending")
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = desk.do("ListAssociations", SortBy=by, SortOrder=order, MaxResults=3, **more)
        found += page["AssociationSummaries"]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
        add(desk, *(artifact(desk, f"s3://new/{len(found)}{end}", "B") for end in "ab"))
    known = {(item["SourceArn"], item["DestinationArn"]) for item in whole}
    seen = [item for item in found if (item["SourceArn"], item["DestinationArn"]) in known]
    assert seen == whole, "what comes in between moves nothing"


def test_an_entity_with_associations_is_not_deleted_but_a_component_takes_its_along(desk: Desk) -> None:
    data, deed, endpoint = artifact(desk, "s3://b/a"), action(desk, "a"), context(desk, "c")
    component = desk.do("CreateTrialComponent", TrialComponentName="t")["TrialComponentArn"]
    add(desk, data, deed)
    add(desk, deed, endpoint)
    add(desk, component, data)
    for operation, params, arn in (
        ("DeleteArtifact", {"ArtifactArn": data}, data),
        ("DeleteAction", {"ActionName": "a"}, deed),
        ("DeleteContext", {"ContextName": "c"}, endpoint),
    ):
        code, message = desk.refused(operation, **params)
        assert code == "ValidationException"
        assert f"'{arn}' has associations" in message
    desk.do("DeleteTrialComponent", TrialComponentName="t")
    assert len(pairs(desk)) == 2
    for source, destination in ((data, deed), (deed, endpoint)):
        desk.do("DeleteAssociation", SourceArn=source, DestinationArn=destination)
    assert desk.do("DeleteAction", ActionName="a") == {"ActionArn": deed}
    assert desk.do("DeleteContext", ContextName="c") == {"ContextArn": endpoint}


# --- groups -------------------------------------------------------------------------------------------------------


def test_the_default_group_is_there_from_the_first_entity_on(desk: Desk) -> None:
    assert desk.do("ListLineageGroups") == {"LineageGroupSummaries": []}
    assert desk.refused("DescribeLineageGroup", LineageGroupName=DEFAULT)[0] == "ResourceNotFound"
    artifact(desk, "s3://b/a")
    began = desk.house.clock.now()
    desk.wait(5)
    context(desk, "c")
    shown = desk.do("DescribeLineageGroup", LineageGroupName=DEFAULT)
    assert (shown["LineageGroupArn"], shown["CreationTime"]) == (f"{ARN}:lineage-group/{DEFAULT}", began)
    listed = desk.do("ListLineageGroups")["LineageGroupSummaries"]
    assert [item["LineageGroupName"] for item in listed] == [DEFAULT]


def test_a_group_that_is_shared_with_nobody_has_no_policy(desk: Desk) -> None:
    missing = "ResourceNotFound", f"LineageGroup '{ARN}:lineage-group/x' does not exist."
    assert desk.refused("GetLineageGroupPolicy", LineageGroupName="x") == missing
    artifact(desk, "s3://b/a")
    arn = f"{ARN}:lineage-group/{DEFAULT}"
    none = "ResourceNotFound", f"Cannot find resource policy for: {arn}"
    assert desk.refused("GetLineageGroupPolicy", LineageGroupName=arn) == none
