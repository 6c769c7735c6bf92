"""The data plane of Edge Manager, as agents call it: heartbeats are kept with the device, and nothing is deployed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from emulator.behaviours.edge import DEVICE, check_fleet_exists
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotBuilt
from emulator.resources import making
from emulator.store.records import Record

CACHE_SECONDS = "60"
"""For how long an agent need not ask again whether it is registered."""

TOLD = ("ModelName", "ModelVersion", "LatestSampleTime", "LatestInference")


def get_device_registration(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_edge_GetDeviceRegistration.html."""
    body = _device(rooms, call).body
    members = ("DeviceFleetName", "DeviceName", "DeviceArn", "RegistrationTime")
    registration = json.dumps({name: body[name] for name in members})
    return {"DeviceRegistration": registration, "CacheTTL": CACHE_SECONDS}


def send_heartbeat(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_edge_SendHeartbeat.html."""
    device = _device(rooms, call)
    if call.params.get("DeploymentResult"):
        raise NotBuilt("SendHeartbeat with DeploymentResult is not built: nothing is deployed here. Leave it away.")
    models = [
        {name: making.plain(model[name]) for name in TOLD if model.get(name) is not None}
        for model in call.params.get("Models") or ()
        if model.get("ModelName") and model.get("ModelVersion")
    ]
    told: dict[str, Any] = {"AgentVersion": call.params["AgentVersion"], "Models": models}
    told["LatestHeartbeat"] = round(rooms.clock.now(), 3)

    def edit(current: Record) -> Record:
        body = {**current.body, **told}
        return replace(current, body={name: value for name, value in body.items() if value != []})

    rooms.resources.change(DEVICE, call.scope, device.key, edit)
    return {}


def get_deployments(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_edge_GetDeployments.html."""
    _device(rooms, call)
    return {"Deployments": []}


def _device(rooms: Rooms, call: Call) -> Record:
    fleet, name = call.params["DeviceFleetName"], call.params["DeviceName"]
    check_fleet_exists(rooms, call, fleet)
    return rooms.resources.get(DEVICE, call.scope, f"{fleet}/{name}")
