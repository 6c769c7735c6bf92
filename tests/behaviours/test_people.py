"""Workforces, work teams, flow definitions and task templates as records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from emulator.call import Scope
from emulator.errors import NotBuilt
from tests.behaviours.conftest import ARN, SCOPE, Desk

ROLE = "arn:aws:iam::123456789012:role/Reviews"
POOL = {"UserPool": "eu-west-1_pool", "ClientId": "client"}
URL = "https://id.example/"
OIDC = {
    "ClientId": "client",
    "ClientSecret": "secret",
    "Issuer": URL,
    "AuthorizationEndpoint": URL,
    "TokenEndpoint": URL,
    "UserInfoEndpoint": URL,
    "LogoutEndpoint": URL,
    "JwksUri": URL,
}
PUBLIC = "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"


def cognito(group: str = "g", **more: str) -> dict[str, Any]:
    return {"CognitoMemberDefinition": {**POOL, "UserGroup": group, **more}}


def team(desk: Desk, name: str = "t", **more: Any) -> str:
    given = {"WorkteamName": name, "Description": "d", "MemberDefinitions": [cognito()], **more}
    return str(desk.do("CreateWorkteam", **given)["WorkteamArn"])


def template(desk: Desk, name: str = "ui") -> str:
    return str(
        desk.do("CreateHumanTaskUi", HumanTaskUiName=name, UiTemplate={"Content": "<p>{{ x }}</p>"})["HumanTaskUiArn"]
    )


def flow(**more: Any) -> dict[str, Any]:
    return {"FlowDefinitionName": "f", "OutputConfig": {"S3OutputPath": "s3://b/out"}, "RoleArn": ROLE, **more}


def loop(team_: str, ui: str, **more: Any) -> dict[str, Any]:
    return {
        "WorkteamArn": team_,
        "HumanTaskUiArn": ui,
        "TaskTitle": "t",
        "TaskDescription": "d",
        "TaskCount": 1,
        **more,
    }


# --- workforces -----------------------------------------------------------------------------------------------------


def test_an_account_has_one_workforce_in_a_region(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    on_w = {"WorkforceName": "w"}
    absent = ("ValidationException", "No workforce found with name w.")
    for verb in ("Describe", "Update", "Delete"):
        assert desk.refused(f"{verb}Workforce", **on_w) == absent
    assert desk.refused("CreateWorkforce", **on_w)[0] == "ValidationException"
    assert desk.refused("CreateWorkforce", **on_w, CognitoConfig=POOL, OidcConfig=OIDC)[0] == "ValidationException"
    assert desk.do("CreateWorkforce", **on_w, CognitoConfig=POOL) == {"WorkforceArn": f"{ARN}:workforce/w"}
    one = (
        "ValidationException",
        "Cannot create more than one workforce for account 123456789012. "
        "If you are trying to update existing workforce, please use UpdateWorkforce API",
    )
    for name in ("w", "v"):
        assert desk.refused("CreateWorkforce", WorkforceName=name, OidcConfig=OIDC) == one
    assert desk.do("DescribeWorkforce", **on_w)["Workforce"]["Status"] == "Initializing"
    desk.wait(2)
    found = desk.do("DescribeWorkforce", **on_w)["Workforce"]
    assert (found["Status"], found["CognitoConfig"]) == ("Active", POOL)
    assert "SubDomain" not in found
    elsewhere = Scope(SCOPE.account, "us-west-2")
    desk.do("CreateWorkforce", scope=elsewhere, **on_w, CognitoConfig=POOL)
    desk.do("DeleteWorkforce", **on_w)
    (listed,) = desk.do("ListWorkforces")["Workforces"]
    assert listed["Status"] == "Deleting"
    desk.wait(2)
    assert desk.do("ListWorkforces") == {"Workforces": []}


def test_the_secret_of_an_identity_provider_is_not_told(desk: Desk) -> None:
    desk.do("CreateWorkforce", WorkforceName="w", OidcConfig=OIDC)
    found = desk.do("DescribeWorkforce", WorkforceName="w")["Workforce"]["OidcConfig"]
    assert found == {name: value for name, value in OIDC.items() if name != "ClientSecret"}
    newer = {**OIDC, "ClientId": "other"}
    answer = desk.do("UpdateWorkforce", WorkforceName="w", OidcConfig=newer)["Workforce"]
    assert answer["OidcConfig"]["ClientId"] == "other"
    assert "ClientSecret" not in answer["OidcConfig"]
    members = [{"OidcMemberDefinition": {"Groups": ["g"]}}]
    desk.do("CreateWorkteam", WorkteamName="t", WorkforceName="w", Description="d", MemberDefinitions=members)
    code, message = desk.refused("UpdateWorkforce", WorkforceName="w", OidcConfig=OIDC)
    assert (code, f"{ARN}:workteam/private-crowd/t" in message) == ("ValidationException", True)


def test_a_workforce_lets_its_addresses_and_its_network_be_changed(desk: Desk) -> None:
    desk.do("CreateWorkforce", WorkforceName="w", CognitoConfig=POOL)
    network = {"VpcId": "vpc-1", "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    addresses = {"Cidrs": ["10.0.0.0/16"]}
    found = desk.do("UpdateWorkforce", WorkforceName="w", SourceIpConfig=addresses, WorkforceVpcConfig=network)
    assert (found["Workforce"]["SourceIpConfig"], found["Workforce"]["WorkforceVpcConfig"]) == (addresses, network)
    found = desk.do("UpdateWorkforce", WorkforceName="w", WorkforceVpcConfig={})["Workforce"]
    assert "WorkforceVpcConfig" not in found
    assert found["SourceIpConfig"] == addresses
    assert desk.refused("UpdateWorkforce", WorkforceName="w", OidcConfig=OIDC)[0] == "ValidationException"


def test_a_workforce_with_teams_is_not_deleted(desk: Desk) -> None:
    desk.do("CreateWorkforce", WorkforceName="w", CognitoConfig=POOL)
    team(desk)
    code, message = desk.refused("DeleteWorkforce", WorkforceName="w")
    assert (code, message) == (
        "ValidationException",
        f"Unable to delete Workforce [{ARN}:workforce/w] because Workteam(s) are associated with it.",
    )
    assert desk.do("DeleteWorkteam", WorkteamName="t") == {"Success": True}
    assert desk.do("DeleteWorkforce", WorkforceName="w") == {}


# --- work teams -----------------------------------------------------------------------------------------------------


def test_the_first_team_brings_its_workforce_along(desk: Desk) -> None:
    oidc = [{"OidcMemberDefinition": {"Groups": ["g"]}}]
    given = {"WorkteamName": "t", "Description": "d"}
    assert desk.refused("CreateWorkteam", **given, MemberDefinitions=oidc)[0] == "ValidationException"
    missing = {**given, "WorkforceName": "none", "MemberDefinitions": [cognito()]}
    assert desk.refused("CreateWorkteam", **missing) == ("ValidationException", "No workforce found with name none.")
    assert team(desk) == f"{ARN}:workteam/private-crowd/t"
    found = desk.do("DescribeWorkteam", WorkteamName="t")["Workteam"]
    assert found["WorkforceArn"] == f"{ARN}:workforce/default"
    assert not {"SubDomain", "WorkforceName"} & set(found)
    assert desk.do("DescribeWorkforce", WorkforceName="default")["Workforce"]["CognitoConfig"] == POOL
    assert desk.refused("CreateWorkteam", **given, MemberDefinitions=[cognito()])[0] == "ResourceInUse"


def test_all_members_come_from_the_directory_of_the_workforce(desk: Desk) -> None:
    team(desk)
    stranger = {"OidcMemberDefinition": {"Groups": ["g"]}}
    for members in ([stranger], [cognito(), stranger], [cognito(ClientId="other")], [{}]):
        given = {"WorkteamName": "u", "Description": "d", "MemberDefinitions": members}
        assert desk.refused("CreateWorkteam", **given)[0] == "ValidationException"
        assert desk.refused("UpdateWorkteam", WorkteamName="t", MemberDefinitions=members)[0] == "ValidationException"
    answer = desk.do("UpdateWorkteam", WorkteamName="t", MemberDefinitions=[cognito("h")], Description="e")["Workteam"]
    assert (answer["MemberDefinitions"], answer["Description"]) == ([cognito("h")], "e")


def test_teams_are_listed_and_have_no_jobs(desk: Desk) -> None:
    absent = ("ValidationException", "The work team none does not exist.")
    for verb in ("Describe", "Update", "Delete"):
        assert desk.refused(f"{verb}Workteam", WorkteamName="none") == absent
    arn = team(desk, "b", Tags=[{"Key": "k", "Value": "v"}])
    desk.wait(1)
    team(desk, "a")

    def names(**filters: Any) -> list[str]:
        return [one["WorkteamName"] for one in desk.do("ListWorkteams", **filters)["Workteams"]]

    assert names() == ["b", "a"]
    assert names(SortBy="Name") == ["a", "b"]
    assert names(NameContains="b") == ["b"]
    assert desk.do("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    for known in (arn, PUBLIC):
        assert desk.do("ListLabelingJobsForWorkteam", WorkteamArn=known) == {"LabelingJobSummaryList": []}
    assert desk.refused("ListLabelingJobsForWorkteam", WorkteamArn=f"{arn}x")[0] == "ResourceNotFound"
    assert desk.do("ListSubscribedWorkteams", NameContains="x") == {"SubscribedWorkteams": []}
    vendor = f"{ARN}:workteam/vendor-crowd/v"
    assert desk.refused("DescribeSubscribedWorkteam", WorkteamArn=vendor)[0] == "ValidationException"


# --- reviews --------------------------------------------------------------------------------------------------------


def test_a_template_is_known_by_its_hash(desk: Desk) -> None:
    arn = template(desk)
    found = desk.do("DescribeHumanTaskUi", HumanTaskUiName="ui")
    assert found["UiTemplate"] == {"ContentSha256": hashlib.sha256(b"<p>{{ x }}</p>").hexdigest()}
    assert (found["HumanTaskUiArn"], found["HumanTaskUiStatus"]) == (arn, "Active")
    code, _ = desk.refused("CreateHumanTaskUi", HumanTaskUiName="ui", UiTemplate={"Content": "x"})
    assert code == "ResourceInUse"
    with pytest.raises(NotBuilt, match="RenderUiTemplate is not built"):
        desk.do("RenderUiTemplate", HumanTaskUiArn=arn, Task={"Input": "{}"}, RoleArn=ROLE)
    desk.do("DeleteHumanTaskUi", HumanTaskUiName="ui")
    assert desk.refused("DescribeHumanTaskUi", HumanTaskUiName="ui")[0] == "ResourceNotFound"


def test_a_flow_definition_becomes_active(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    people = loop(team(desk), template(desk))
    arn = desk.do("CreateFlowDefinition", **flow(HumanLoopConfig=people))["FlowDefinitionArn"]
    assert arn == f"{ARN}:flow-definition/f"
    assert desk.do("DescribeFlowDefinition", FlowDefinitionName="f")["FlowDefinitionStatus"] == "Initializing"
    desk.wait(2)
    found = desk.do("DescribeFlowDefinition", FlowDefinitionName="f")
    assert found["FlowDefinitionStatus"] == "Active"
    assert found["HumanLoopConfig"] == {**people, "TaskTimeLimitInSeconds": 3600}
    assert desk.refused("CreateFlowDefinition", **flow(HumanLoopConfig=people))[0] == "ResourceInUse"
    (listed,) = desk.do("ListFlowDefinitions", SortOrder="Ascending")["FlowDefinitionSummaries"]
    assert listed["FlowDefinitionArn"] == arn
    desk.do("DeleteFlowDefinition", FlowDefinitionName="f")
    assert desk.do("DescribeFlowDefinition", FlowDefinitionName="f")["FlowDefinitionStatus"] == "Deleting"
    desk.wait(2)
    assert desk.refused("DescribeFlowDefinition", FlowDefinitionName="f")[0] == "ResourceNotFound"


def test_a_flow_definition_names_people_and_templates_that_exist(desk: Desk) -> None:
    ours, ui = team(desk), template(desk)

    def because(**config: Any) -> tuple[str, str]:
        return desk.refused("CreateFlowDefinition", **flow(HumanLoopConfig=config))

    other = ours.replace("/t", "/none")
    assert because(**loop(other, ui)) == (
        "ValidationException",
        f"The specified Workteam '{other}' does not exist or you do not have access to it.",
    )
    assert because(**loop(ours, f"{ui}x"))[0] == "ValidationException"
    assert because(**loop(ours, ours))[0] == "ValidationException"
    assert because(**loop(PUBLIC, ui))[0] == "ValidationException"
    price = {"PublicWorkforceTaskPrice": {"AmountInUsd": {"Dollars": 0, "Cents": 5}}}
    assert because(**loop(ours, ui, **price))[0] == "ValidationException"
    desk.do("CreateFlowDefinition", **flow(HumanLoopConfig=loop(PUBLIC, ui, **price)))


def test_when_people_are_asked_is_said_in_json_and_of_a_source(desk: Desk) -> None:
    def asked(conditions: str) -> dict[str, Any]:
        return {"HumanLoopActivationConditionsConfig": {"HumanLoopActivationConditions": conditions}}

    source = {"AwsManagedHumanLoopRequestSource": "AWS/Textract/AnalyzeDocument/Forms/V1"}
    good = asked(
        '{"Conditions": [{"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 5}}]}'
    )
    assert desk.refused("CreateFlowDefinition", **flow(HumanLoopActivationConfig=good))[0] == "ValidationException"
    for wrong in ("", "no", "[]", "{}", '{"Conditions": {}}', '{"Conditions": []}'):
        more = {"HumanLoopActivationConfig": asked(wrong), "HumanLoopRequestSource": source}
        assert desk.refused("CreateFlowDefinition", **flow(**more))[0] == "ValidationException"
    desk.do("CreateFlowDefinition", **flow(HumanLoopActivationConfig=good, HumanLoopRequestSource=source))
    assert desk.do("DescribeFlowDefinition", FlowDefinitionName="f")["HumanLoopActivationConfig"] == good
