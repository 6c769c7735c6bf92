"""Experiments, trials and components: who is in which, what may be deleted, and how components are found."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from emulator.errors import NotFound
from tests.behaviours.conftest import ARN, SCOPE, Desk


@pytest.fixture
def lab(desk: Desk) -> Desk:
    """An experiment `e` with trials `t1` and `t2`, an experiment `f` with trial `u`, and components `a` to `d`."""
    for experiment, names in (("e", ("t1", "t2")), ("f", ("u",))):
        desk.do("CreateExperiment", ExperimentName=experiment)
        for trial in names:
            desk.do("CreateTrial", TrialName=trial, ExperimentName=experiment)
    for component in "abcd":
        desk.do("CreateTrialComponent", TrialComponentName=component)
        desk.wait(1)
    return desk


def associate(desk: Desk, *pairs: str) -> None:
    for pair in pairs:
        component, trial = pair.split(":")
        desk.do("AssociateTrialComponent", TrialComponentName=component, TrialName=trial)


def components(desk: Desk, **params: Any) -> list[str]:
    found = desk.do("ListTrialComponents", **params)["TrialComponentSummaries"]
    return [item["TrialComponentName"] for item in found]


def trials(desk: Desk, **params: Any) -> list[str]:
    return [item["TrialName"] for item in desk.do("ListTrials", **params)["TrialSummaries"]]


def test_a_component_is_in_trials_and_in_their_experiments(lab: Desk) -> None:
    answer = lab.do("AssociateTrialComponent", TrialComponentName="a", TrialName="t1")
    assert answer == {
        "TrialComponentArn": f"{ARN}:experiment-trial-component/a",
        "TrialArn": f"{ARN}:experiment-trial/t1",
    }
    associate(lab, "b:t1", "a:t2", "a:u", "a:t1")
    assert components(lab, TrialName="t1") == ["b", "a"], "newest first"
    assert components(lab, TrialName="t1", SortBy="Name", SortOrder="Ascending") == ["a", "b"]
    assert components(lab, TrialName="t2") == ["a"]
    assert components(lab, ExperimentName="e") == ["b", "a"], "a component of two trials is there once"
    assert components(lab, ExperimentName="f") == ["a"]
    assert trials(lab, TrialComponentName="a", SortBy="Name", SortOrder="Ascending") == ["t1", "t2", "u"]
    assert trials(lab, TrialComponentName="a", ExperimentName="e", SortBy="Name") == ["t2", "t1"]
    assert trials(lab, TrialComponentName="c") == []


def test_a_component_leaves_its_experiment_with_its_last_trial(lab: Desk) -> None:
    associate(lab, "a:t1", "a:t2")
    lab.do("DisassociateTrialComponent", TrialComponentName="a", TrialName="t1")
    assert components(lab, TrialName="t1") == []
    assert components(lab, ExperimentName="e") == ["a"]
    lab.do("DisassociateTrialComponent", TrialComponentName="a", TrialName="t2")
    assert components(lab, ExperimentName="e") == []
    associate(lab, "a:t1")
    assert components(lab, ExperimentName="e") == ["a"], "it may come back"


def test_what_is_not_associated_is_disassociated_as_well(lab: Desk) -> None:
    arns = {"TrialComponentArn": f"{ARN}:experiment-trial-component/no", "TrialArn": f"{ARN}:experiment-trial/none"}
    assert lab.do("DisassociateTrialComponent", TrialComponentName="no", TrialName="none") == arns
    lab.do("DisassociateTrialComponent", TrialComponentName="a", TrialName="t1")


def test_what_is_associated_must_exist(lab: Desk) -> None:
    missing = "ResourceNotFound", f"Trial '{ARN}:experiment-trial/none' does not exist."
    assert lab.refused("AssociateTrialComponent", TrialComponentName="no", TrialName="none") == missing
    missing = "ResourceNotFound", f"TrialComponent '{ARN}:experiment-trial-component/no' does not exist."
    assert lab.refused("AssociateTrialComponent", TrialComponentName="no", TrialName="t1") == missing
    for params in ({"TrialName": "none"}, {"ExperimentName": "none"}):
        assert lab.refused("ListTrialComponents", **params)[0] == "ResourceNotFound"
    assert lab.refused("ListTrials", TrialComponentName="none")[0] == "ResourceNotFound"


def test_names_are_the_same_in_every_case(lab: Desk) -> None:
    associate(lab, "A:T1")
    assert components(lab, TrialName="T1") == components(lab, ExperimentName="E") == ["a"]
    assert trials(lab, TrialComponentName="A") == ["t1"]
    lab.do("CreateTrial", TrialName="t3", ExperimentName="E")
    assert trials(lab, ExperimentName="e", SortBy="Name") == ["t3", "t2", "t1"]


def test_nothing_is_deleted_that_others_are_linked_to(lab: Desk) -> None:
    associate(lab, "a:t1")
    linked = "is linked to 1 or more"
    experiment = f"Experiment '{ARN}:experiment/e' {linked} trials and cannot be deleted."
    assert lab.refused("DeleteExperiment", ExperimentName="e") == ("ValidationException", experiment)
    trial = f"Trial '{ARN}:experiment-trial/t1' {linked} trial components and cannot be deleted."
    assert lab.refused("DeleteTrial", TrialName="t1") == ("ValidationException", trial)
    component = f"TrialComponent '{ARN}:experiment-trial-component/a' {linked} trials and cannot be deleted."
    assert lab.refused("DeleteTrialComponent", TrialComponentName="a") == ("ValidationException", component)
    lab.do("DisassociateTrialComponent", TrialComponentName="a", TrialName="t1")
    gone = lab.do("DeleteTrialComponent", TrialComponentName="a")
    assert gone == {"TrialComponentArn": f"{ARN}:experiment-trial-component/a"}
    for trial in ("t1", "t2"):
        assert lab.do("DeleteTrial", TrialName=trial) == {"TrialArn": f"{ARN}:experiment-trial/{trial}"}
    assert lab.do("DeleteExperiment", ExperimentName="e") == {"ExperimentArn": f"{ARN}:experiment/e"}


def test_components_are_narrowed_in_one_way_only(lab: Desk) -> None:
    code, message = lab.refused("ListTrialComponents", TrialName="t1", ExperimentName="e")
    assert (code, "ExperimentName, TrialName" in message) == ("ValidationException", True)


def test_pages_of_a_trials_components_join_and_times_narrow_them(lab: Desk) -> None:
    associate(lab, "a:t1", "b:t1", "c:t1", "d:t1")
    first = lab.do("ListTrialComponents", TrialName="t1", MaxResults=3)
    rest = lab.do("ListTrialComponents", TrialName="t1", MaxResults=3, NextToken=first["NextToken"])
    found = [*first["TrialComponentSummaries"], *rest["TrialComponentSummaries"]]
    assert [item["TrialComponentName"] for item in found] == ["d", "c", "b", "a"]
    assert "NextToken" not in rest
    other = lab.refused("ListTrialComponents", TrialName="t2", MaxResults=3, NextToken=first["NextToken"])
    assert other[0] == "ValidationException", "a token is good for its own request"
    since = lab.do("DescribeTrialComponent", TrialComponentName="b")["CreationTime"]
    after = datetime.fromtimestamp(since, timezone.utc)
    assert components(lab, TrialName="t1", CreatedAfter=after) == ["d", "c"]


def test_a_component_shows_what_it_was_given_and_what_it_has_not(desk: Desk) -> None:
    desk.do("CreateTrialComponent", TrialComponentName="c", Parameters={"a": {"NumberValue": 1.0}})
    shown = desk.do("DescribeTrialComponent", TrialComponentName=f"{ARN}:experiment-trial-component/c")
    assert (shown["DisplayName"], shown["Parameters"]) == ("c", {"a": {"NumberValue": 1.0}})
    assert (shown["InputArtifacts"], shown["OutputArtifacts"], shown["Metrics"], shown["Sources"]) == ({}, {}, [], [])
    assert (shown["CreatedBy"], shown["LastModifiedBy"]) == ({}, {})
    assert "Source" not in shown
    assert "Status" not in shown
    assert shown["LineageGroupArn"] == f"{ARN}:lineage-group/sagemaker-default-lineage-group"


def test_an_update_adds_first_and_removes_then(desk: Desk) -> None:
    """As test_trial_component.py of the SDK's integration tests expects of the service."""
    artifact = {"Value": "s3:/foo/bar", "MediaType": "text/plain"}
    desk.do("CreateTrialComponent", TrialComponentName="c", Parameters={"old": {"StringValue": "x"}})
    desk.wait(5)
    desk.do(
        "UpdateTrialComponent",
        TrialComponentName="c",
        Status={"PrimaryStatus": "InProgress", "Message": "m"},
        Parameters={"foo": {"StringValue": "bar"}, "whizz": {"NumberValue": 100.1}},
        ParametersToRemove=["foo", "unknown"],
        InputArtifacts={"one": artifact, "two": artifact},
        InputArtifactsToRemove=["one"],
        OutputArtifacts={"one": artifact},
        OutputArtifactsToRemove=["one"],
    )
    shown = desk.do("DescribeTrialComponent", TrialComponentName="c")
    assert shown["Parameters"] == {"old": {"StringValue": "x"}, "whizz": {"NumberValue": 100.1}}
    assert (shown["InputArtifacts"], shown["OutputArtifacts"]) == ({"two": artifact}, {})
    assert shown["Status"]["PrimaryStatus"] == "InProgress"
    assert shown["LastModifiedTime"] > shown["CreationTime"]
    summary = desk.do("ListTrialComponents")["TrialComponentSummaries"][0]
    assert summary["Status"] == shown["Status"]


def test_a_search_knows_the_parents_of_a_component(lab: Desk) -> None:
    def found(value: str) -> list[dict[str, Any]]:
        filters = [{"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": value}]
        asked = {"Resource": "ExperimentTrialComponent", "SearchExpression": {"Filters": filters}}
        return [result["TrialComponent"] for result in lab.do("Search", **asked)["Results"]]

    associate(lab, "a:t1", "a:u")
    assert found("f")[0]["Parents"] == [
        {"TrialName": "t1", "ExperimentName": "e"},
        {"TrialName": "u", "ExperimentName": "f"},
    ]
    lab.do("DisassociateTrialComponent", TrialComponentName="a", TrialName="u")
    assert found("f") == [], "an index that is there follows"
    assert [item["TrialComponentName"] for item in found("e")] == ["a"]


def test_accounts_do_not_see_each_others(lab: Desk) -> None:
    associate(lab, "a:t1")
    other = type(SCOPE)("999999999999", SCOPE.region)
    with pytest.raises(NotFound):
        lab.do("ListTrialComponents", other, TrialName="t1")
    assert lab.do("ListTrialComponents", other)["TrialComponentSummaries"] == []
