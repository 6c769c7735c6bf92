"""Device fleets and their devices: who is registered, and what the heartbeats of the devices say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotBuilt, Validation
from emulator.store.records import Query, Record

FLEET, DEVICE = "DeviceFleet", "Device"
CHUNK = 200
CONNECTED_SECONDS = 3600.0
"""For how long after its last heartbeat a device counts as connected (`docs/quirks.md`)."""


def create_device_fleet(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDeviceFleet.html."""
    _check_fleet(rooms, call)
    rooms.resources.create(FLEET, call)
    return {}


def update_device_fleet(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateDeviceFleet.html."""
    rooms.resources.get(FLEET, call.scope, call.params["DeviceFleetName"])
    _check_fleet(rooms, call)
    return rooms.resources.update(FLEET, call)


def _check_fleet(rooms: Rooms, call: Call) -> None:
    if call.params.get("EnableIotRoleAlias"):
        raise NotBuilt(
            f"{call.operation} with EnableIotRoleAlias is not built: there is no AWS IoT here that could have a role "
            "alias. Leave it away. Nothing was done."
        )
    if call.params.get("RoleArn"):
        rooms.roles(call.params["RoleArn"], call.scope)


def register_devices(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_RegisterDevices.html."""
    fleet, devices = call.params["DeviceFleetName"], call.params["Devices"]
    check_fleet_exists(rooms, call, fleet)
    names = [device["DeviceName"] for device in devices]
    taken = [name for name in names if rooms.resources.find(DEVICE, call.scope, f"{fleet}/{name}")]
    taken += [name for name, count in Counter(names).items() if count > 1]
    if taken:
        raise Validation(f"Device with name {taken[0]} already exists in fleet {fleet}. No device was registered.")
    for device in devices:
        own = {"DeviceFleetName": fleet, "Tags": call.params.get("Tags"), **device}
        rooms.resources.create(DEVICE, replace(call, params=own))
    return {}


def deregister_devices(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeregisterDevices.html."""
    for record in _all(rooms, call, call.params["DeviceNames"]):
        rooms.resources.remove(DEVICE, call.scope, record.key)
    return {}


def update_devices(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateDevices.html."""
    devices = {device["DeviceName"]: device for device in call.params["Devices"]}

    def edit(current: Record) -> Record:
        told = {name: value for name, value in devices[current.body["DeviceName"]].items() if value is not None}
        return replace(current, body={**current.body, **told})

    for record in _all(rooms, call, devices):
        rooms.resources.change(DEVICE, call.scope, record.key, edit)
    return {}


def describe_device(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeDevice.html."""
    check_fleet_exists(rooms, call, call.params["DeviceFleetName"])
    return rooms.resources.describe(DEVICE, call)


def fleet_report(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetDeviceFleetReport.html."""
    fleet = rooms.resources.get(FLEET, call.scope, call.params["DeviceFleetName"])
    now = round(rooms.clock.now(), 3)
    devices = [record.body for record in devices_of(rooms, call, fleet.key)]
    versions = Counter(device["AgentVersion"] for device in devices if "AgentVersion" in device)
    connected = sum(_is_connected(device, now) for device in devices)
    answer = {
        name: fleet.body[name]
        for name in ("DeviceFleetArn", "DeviceFleetName", "OutputConfig", "Description")
        if name in fleet.body
    }
    answer |= {
        "ReportGenerated": now,
        "DeviceStats": {"ConnectedDeviceCount": connected, "RegisteredDeviceCount": len(devices)},
        "AgentVersions": [{"Version": name, "AgentCount": count} for name, count in sorted(versions.items())],
        "ModelStats": _model_stats(devices, now),
    }
    return answer


def _model_stats(devices: Iterable[Mapping[str, Any]], now: float) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for device in devices:
        there = _is_connected(device, now)
        for model in device.get("Models", ()):
            found = counts.setdefault((model["ModelName"], model["ModelVersion"]), Counter())
            found["ConnectedDeviceCount" if there else "OfflineDeviceCount"] += 1
            found["ActiveDeviceCount"] += there and _is_recent(model.get("LatestInference"), now)
            found["SamplingDeviceCount"] += there and _is_recent(model.get("LatestSampleTime"), now)
    members = ("OfflineDeviceCount", "ConnectedDeviceCount", "ActiveDeviceCount", "SamplingDeviceCount")
    return [
        {"ModelName": name, "ModelVersion": version, **{member: found[member] for member in members}}
        for (name, version), found in sorted(counts.items())
    ]


def _is_connected(device: Mapping[str, Any], now: float) -> bool:
    return _is_recent(device.get("LatestHeartbeat"), now)


def _is_recent(when: float | None, now: float) -> bool:
    return when is not None and when > now - CONNECTED_SECONDS


# --- for the family ---------------------------------------------------------------------------------------------


def devices_of(rooms: Rooms, call: Call, fleet: str) -> list[Record]:
    """The devices of a fleet, by name."""
    return list(rooms.resources.each(Query(DEVICE, call.scope, CHUNK, sort="name", parent=fleet)))


def check_fleet_exists(rooms: Rooms, call: Call, fleet: str) -> None:
    """The operations about devices have their own words for an absent fleet."""
    if rooms.resources.find(FLEET, call.scope, fleet) is None:
        raise Validation(f"No device fleet with name {fleet}")


def _all(rooms: Rooms, call: Call, names: Iterable[str]) -> list[Record]:
    """The records of devices, or an error before any of them is touched."""
    fleet = call.params["DeviceFleetName"]
    check_fleet_exists(rooms, call, fleet)
    found = {name: rooms.resources.find(DEVICE, call.scope, f"{fleet}/{name}") for name in names}
    absent = [name for name, record in found.items() if record is None]
    if absent:
        raise Validation(f"Device with name {absent[0]} does not exist in fleet {fleet}.")
    return [record for record in found.values() if record is not None]
