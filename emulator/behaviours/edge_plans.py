"""Edge deployment plans and their stages. Which devices a stage is for is known; deploying to them is work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.edge import devices_of
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation
from emulator.kinds.kind import ASC
from emulator.resources import making, parts
from emulator.resources.parts import Part
from emulator.store.records import Record

KIND = "EdgeDeploymentPlan"
MOST_STAGES = 10
DEFAULT_POLICY = {"FailureHandlingPolicy": "ROLLBACK_ON_FAILURE"}
NEEDED = {"PERCENTAGE": "Percentage", "SELECTION": "DeviceNames", "NAMECONTAINS": "DeviceNameContains"}
"""What each DeviceSubsetType needs."""


def create_plan(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEdgeDeploymentPlan.html."""
    stages = _stages((), call.params.get("Stages") or ())
    names = [stage["StageName"] for stage in stages]
    made = dict.fromkeys(names, round(rooms.clock.now(), 3))
    record = rooms.resources.create(KIND, call, extra={"Stages": stages}, hidden={"made": made})
    return {"EdgeDeploymentPlanArn": record.arn}


def describe_plan(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEdgeDeploymentPlan.html."""
    told = rooms.resources.describe(KIND, call)
    found = [Part(number, f"{number:02}", stage) for number, stage in enumerate(told["Stages"])]
    return {**told, **parts.page(call, found, "Stages", ASC, MOST_STAGES)}


def create_stage(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEdgeDeploymentStage.html."""
    now = round(rooms.clock.now(), 3)

    def edit(current: Record) -> Record:
        stages = _stages(current.body["Stages"], call.params["Stages"])
        made = {stage["StageName"]: now for stage in stages} | current.hidden["made"]
        return replace(current, body={**current.body, "Stages": stages}, hidden={**current.hidden, "made": made})

    rooms.resources.change(KIND, call.scope, call.params["EdgeDeploymentPlanName"], edit)
    return {}


def delete_stage(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEdgeDeploymentStage.html."""
    name = call.params["StageName"]

    def edit(current: Record) -> Record:
        _stage(current, name)
        left = [stage for stage in current.body["Stages"] if stage["StageName"] != name]
        made = {stage: when for stage, when in current.hidden["made"].items() if stage != name}
        return replace(current, body={**current.body, "Stages": left}, hidden={**current.hidden, "made": made})

    rooms.resources.change(KIND, call.scope, call.params["EdgeDeploymentPlanName"], edit)
    return {}


def stop_stage(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopEdgeDeploymentStage.html."""
    stage = _stage(_plan(rooms, call), call.params["StageName"])
    raise Validation(f"Stage {stage['StageName']} cannot be stopped: it was not started.")


def list_stage_devices(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListStageDevices.html."""
    plan = _plan(rooms, call)
    stage = _stage(plan, call.params["StageName"])
    devices = devices_of(rooms, call, plan.body["DeviceFleetName"])
    own = {"EdgeDeploymentPlanArn": plan.arn, "EdgeDeploymentPlanName": plan.key, "StageName": stage["StageName"]}
    own["DeviceDeploymentStatus"] = "READYTODEPLOY"
    members = ("DeviceFleetName", "DeviceName", "DeviceArn", "Description")
    found = [
        Part(device.key, device.key, {**own, **{name: device.body[name] for name in members if name in device.body}})
        for device in _selected(devices, stage["DeviceSelectionConfig"])
    ]
    return parts.page(call, found, "DeviceDeploymentSummaries", ASC)


def shown_stages(rooms: Rooms, record: Record) -> list[dict[str, Any]] | None:
    """The stages of a plan as they are now: each is `CREATING` for as long as a status takes that moves by itself."""
    made, now = record.hidden.get("made", {}), rooms.clock.now()
    return [
        {**stage, "DeploymentStatus": {**stage["DeploymentStatus"], "StageStatus": "CREATING"}}
        if now < made.get(stage["StageName"], 0.0) + rooms.settings.settle_seconds
        else stage
        for stage in record.body["Stages"]
    ]


def _plan(rooms: Rooms, call: Call) -> Record:
    return rooms.resources.get(KIND, call.scope, call.params["EdgeDeploymentPlanName"])


def _stage(plan: Record, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = next((stage for stage in plan.body["Stages"] if stage["StageName"] == name), None)
    if found is None:
        raise Validation(f"Edge deployment plan {plan.key} has no stage {name}.")
    return found


def _stages(there: Iterable[Mapping[str, Any]], asked: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    stages = [dict(stage) for stage in there]
    for stage in asked:
        if stage["StageName"] in [known["StageName"] for known in stages]:
            raise Validation(f"Stage names must be unique within a plan: {stage['StageName']}.")
        selection = stage["DeviceSelectionConfig"]
        needed = NEEDED[selection["DeviceSubsetType"]]
        if selection.get(needed) in (None, [], ""):
            raise Validation(f"Stage {stage['StageName']} selects by {selection['DeviceSubsetType']}: give {needed}.")
        counts = {f"EdgeDeployment{word}InStage": 0 for word in ("Success", "Pending", "Failed")}
        own = {"DeploymentConfig": DEFAULT_POLICY, **making.plain(stage)}
        stages.append({**own, "DeploymentStatus": {"StageStatus": "READYTODEPLOY", **counts}})
    if len(stages) > MOST_STAGES:
        raise Validation(f"A plan has at most {MOST_STAGES} stages; this one would have {len(stages)}.")
    return stages


def _selected(devices: list[Record], selection: Mapping[str, Any]) -> list[Record]:
    """The devices of a fleet that a stage is for; of a percentage, the first ones by name."""
    kind = selection["DeviceSubsetType"]
    if kind == "PERCENTAGE":
        return devices[: math.ceil(len(devices) * selection["Percentage"] / 100)]
    if kind == "SELECTION":
        return [device for device in devices if device.body["DeviceName"] in selection["DeviceNames"]]
    return [device for device in devices if selection["DeviceNameContains"] in device.body["DeviceName"]]
