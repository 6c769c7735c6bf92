"""Augmented AI: flow definitions and task templates. What they name must exist; nobody is asked to review anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.people import VENDOR, is_public, knows_workteam
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation

NO_WORKTEAM = "The specified Workteam '{arn}' does not exist or you do not have access to it."
NO_TEMPLATE = "The specified HumanTaskUi '{arn}' does not exist or you do not have access to it."


def create_human_task_ui(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHumanTaskUi.html."""
    template = call.params["UiTemplate"]["Content"]
    seal = hashlib.sha256(template.encode()).hexdigest()
    ui = rooms.resources.create(
        "HumanTaskUi",
        replace(call, params={name: value for name, value in call.params.items() if name != "UiTemplate"}),
        extra={"UiTemplate": {"ContentSha256": seal}},
        hidden={"template": template},
    )
    return {"HumanTaskUiArn": ui.arn}


def create_flow_definition(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFlowDefinition.html."""
    params = call.params
    rooms.roles(params["RoleArn"], call.scope)
    if config := params.get("HumanLoopConfig"):
        _check_people(rooms, call, config)
    if activation := params.get("HumanLoopActivationConfig"):
        if not params.get("HumanLoopRequestSource"):
            raise Validation("HumanLoopActivationConfig needs a HumanLoopRequestSource.")
        _check_conditions(activation["HumanLoopActivationConditionsConfig"]["HumanLoopActivationConditions"])
    return {"FlowDefinitionArn": rooms.resources.create("FlowDefinition", call).arn}


def _check_people(rooms: Rooms, call: Call, config: Mapping[str, Any]) -> None:
    team, template = config["WorkteamArn"], config["HumanTaskUiArn"]
    if not knows_workteam(rooms, team, call.scope):
        raise Validation(NO_WORKTEAM.format(arn=team))
    if is_public(team) != bool(config.get("PublicWorkforceTaskPrice")):
        raise Validation("PublicWorkforceTaskPrice is for the public work team, and needed there.")
    ui = rooms.resources.by_arn(template)
    built_in = f":{VENDOR}:human-task-ui/" in template
    if not built_in and (ui is None or ui.kind != "HumanTaskUi" or ui.scope != call.scope):
        raise Validation(NO_TEMPLATE.format(arn=template))


def _check_conditions(text: str) -> None:
    try:
        conditions = json.loads(text)["Conditions"]
    except (ValueError, TypeError, KeyError):
        conditions = None
    if not isinstance(conditions, list) or not conditions:
        raise Validation('HumanLoopActivationConditions must be JSON with a list of "Conditions".')
