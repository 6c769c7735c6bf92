"""Workforces and work teams: one workforce for an account in a region, whose members all come from one directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call, Scope
from emulator.errors import InUse, NotFound, Validation
from emulator.resources import making
from emulator.store.records import Query, Record

VENDOR = "394669845002"
"""The account that the public work team and the built-in task templates belong to, in every region."""
ONE_WORKFORCE = (
    "Cannot create more than one workforce for account {account}. "
    "If you are trying to update existing workforce, please use UpdateWorkforce API"
)


def create_workforce(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateWorkforce.html."""
    if bool(call.params.get("CognitoConfig")) == bool(call.params.get("OidcConfig")):
        raise Validation("A workforce has a CognitoConfig or an OidcConfig. Give exactly one of them.")
    if _workforce(rooms, call.scope) is not None:
        raise Validation(ONE_WORKFORCE.format(account=call.scope.account))
    return {"WorkforceArn": rooms.resources.create("Workforce", call).arn}


def update_workforce(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateWorkforce.html."""
    facts, name = rooms.resources.facts("Workforce"), call.params["WorkforceName"]
    workforce = rooms.resources.get("Workforce", call.scope, name)
    if call.params.get("OidcConfig"):
        if "OidcConfig" not in workforce.body:
            raise Validation(f"The workforce {name} was made with Amazon Cognito and cannot have an OidcConfig.")
        for team in rooms.resources.each(Query("Workteam", call.scope, 1, parent=workforce.key)):
            raise InUse(
                f"Unable to update the OidcConfig of Workforce [{workforce.arn}]: it has Workteam [{team.arn}]."
            )
    leaves_vpc = call.params.get("WorkforceVpcConfig") == {}

    def edit(record: Record) -> Record:
        after = making.edited(facts, record, call)
        body = {member: value for member, value in after.body.items() if member != "WorkforceVpcConfig"}
        return replace(after, body=body) if leaves_vpc else after

    return rooms.resources.answer("Update", rooms.resources.move("Workforce", call.scope, name, "Update", edit))


def create_workteam(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateWorkteam.html."""
    members = call.params["MemberDefinitions"]
    name = call.params.get("WorkforceName")
    if name:
        workforce = rooms.resources.get("Workforce", call.scope, name)
    else:
        workforce = _workforce(rooms, call.scope) or _first_workforce(rooms, call, members)
    _check_members(workforce, members)
    given = replace(call, params={**call.params, "WorkforceName": workforce.key})
    return {"WorkteamArn": rooms.resources.create("Workteam", given, extra={"WorkforceArn": workforce.arn}).arn}


def update_workteam(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateWorkteam.html."""
    team = rooms.resources.get("Workteam", call.scope, call.params["WorkteamName"])
    if call.params.get("MemberDefinitions"):
        workforce = rooms.resources.get("Workforce", call.scope, team.parent)
        _check_members(workforce, call.params["MemberDefinitions"])
    return rooms.resources.update("Workteam", call)


def list_jobs_of_workteam(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListLabelingJobsForWorkteam.html."""
    arn = call.params["WorkteamArn"]
    if not knows_workteam(rooms, arn, call.scope):
        raise NotFound(f"Workteam '{arn}' does not exist.")
    return {"LabelingJobSummaryList": []}


def knows_workteam(rooms: Rooms, arn: str, scope: Scope) -> bool:
    """Whether an ARN is that of a work team of this account, or of the public one."""
    if is_public(arn):
        return True
    team = rooms.resources.by_arn(arn)
    return team is not None and team.kind == "Workteam" and team.scope == scope


def is_public(workteam: str) -> bool:
    """Whether an ARN is that of the public work team, Amazon Mechanical Turk."""
    return workteam.endswith(f":{VENDOR}:workteam/public-crowd/default")


def _workforce(rooms: Rooms, scope: Scope) -> Record | None:
    """The workforce of an account in a region."""
    return next(rooms.resources.each(Query("Workforce", scope, 1)), None)


def _first_workforce(rooms: Rooms, call: Call, members: Iterable[Mapping[str, Any]]) -> Record:
    """The workforce that comes into being with the first work team, where Amazon Cognito knows its members."""
    cognito = next((m["CognitoMemberDefinition"] for m in members if m.get("CognitoMemberDefinition")), None)
    if cognito is None:
        raise Validation("There is no workforce yet. Create one with the OidcConfig of your identity provider first.")
    config = {"UserPool": cognito["UserPool"], "ClientId": cognito["ClientId"]}
    params = {"WorkforceName": "default", "CognitoConfig": config}
    return rooms.resources.create("Workforce", replace(call, operation="CreateWorkforce", params=params))


def _check_members(workforce: Record, members: Iterable[Mapping[str, Any]]) -> None:
    """All members come from the directory of the workforce."""
    cognito = workforce.body.get("CognitoConfig")
    wanted, other = ("CognitoMemberDefinition", "OidcMemberDefinition")[:: 1 if cognito else -1]
    for member in members:
        if member.get(other) or not member.get(wanted):
            raise Validation(f"The members of a work team of the workforce {workforce.key} need {wanted} only.")
        mine = member[wanted]
        if cognito and (mine["UserPool"], mine["ClientId"]) != (cognito["UserPool"], cognito["ClientId"]):
            raise Validation(
                f"The members of a work team have the UserPool and the ClientId of the workforce {workforce.key}."
            )
