"""Fleets, devices and plans: who is registered, what heartbeats say, which devices a stage is for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from emulator.errors import InUse, NotBuilt, Validation
from tests.behaviours.houses import ROLE, Caller, caller

OUTPUT = {"S3OutputLocation": "s3://bucket/edge"}


@pytest.fixture
def sagemaker() -> Iterator[Caller]:
    with caller() as made:
        yield made


def fleet(sagemaker: Caller, *devices: str, name: str = "f") -> None:
    sagemaker.do("CreateDeviceFleet", DeviceFleetName=name, OutputConfig=OUTPUT, RoleArn=ROLE)
    if devices:
        told = [{"DeviceName": device, "IotThingName": f"thing-{device}"} for device in devices]
        sagemaker.do("RegisterDevices", DeviceFleetName=name, Devices=told, Tags=[{"Key": "a", "Value": "b"}])


def heartbeat(sagemaker: Caller, device: str, *models: dict[str, Any], version: str = "1.0") -> None:
    params = {"DeviceFleetName": "f", "DeviceName": device, "AgentVersion": version, "Models": list(models)}
    sagemaker.of("sagemaker-edge").do("SendHeartbeat", **params)


def model(name: str, **more: Any) -> dict[str, Any]:
    return {"ModelName": name, "ModelVersion": "1.0", **more}


def names(devices: list[dict[str, Any]]) -> list[str]:
    return [device["DeviceName"] for device in devices]


def test_devices_are_registered_described_updated_and_deregistered(sagemaker: Caller) -> None:
    fleet(sagemaker, "d-1", "d-2")
    told = sagemaker.do("DescribeDevice", DeviceFleetName="f", DeviceName="d-1")
    assert told["DeviceArn"] == "arn:aws:sagemaker:eu-west-1:123456789012:device-fleet/f/device/d-1"
    assert told["IotThingName"] == "thing-d-1"
    assert told["RegistrationTime"] == sagemaker.house.clock.now()
    assert not {"LatestHeartbeat", "Models", "AgentVersion"} & set(told)
    assert sagemaker.do("ListTags", ResourceArn=told["DeviceArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    changed = [{"DeviceName": "d-1", "Description": "by the door"}]
    sagemaker.do("UpdateDevices", DeviceFleetName="f", Devices=changed)
    again = sagemaker.do("DescribeDevice", DeviceFleetName="f", DeviceName="d-1")
    assert (again["Description"], again["IotThingName"]) == ("by the door", "thing-d-1")
    sagemaker.do("DeregisterDevices", DeviceFleetName="f", DeviceNames=["d-1"])
    with pytest.raises(Validation, match="No device with name d-1"):
        sagemaker.do("DescribeDevice", DeviceFleetName="f", DeviceName="d-1")


def test_absent_fleets_and_devices_are_told_in_the_words_that_clients_look_for(sagemaker: Caller) -> None:
    with pytest.raises(Validation, match="No devicefleet with name f"):
        sagemaker.do("DescribeDeviceFleet", DeviceFleetName="f")
    for operation, params in (
        ("DescribeDevice", {"DeviceName": "d"}),
        ("RegisterDevices", {"Devices": [{"DeviceName": "d"}]}),
        ("DeregisterDevices", {"DeviceNames": ["d"]}),
    ):
        with pytest.raises(Validation, match="No device fleet with name f"):
            sagemaker.do(operation, DeviceFleetName="f", **params)
    fleet(sagemaker, "d")
    with pytest.raises(Validation, match="Device with name e does not exist in fleet f"):
        sagemaker.do("DeregisterDevices", DeviceFleetName="f", DeviceNames=["d", "e"])
    with pytest.raises(Validation, match="Device with name d already exists in fleet f"):
        fleet_again = [{"DeviceName": "new"}, {"DeviceName": "d"}]
        sagemaker.do("RegisterDevices", DeviceFleetName="f", Devices=fleet_again)
    assert names(sagemaker.do("ListDevices")["DeviceSummaries"]) == ["d"], "all of them, or none"


def test_a_fleet_with_devices_or_plans_stays(sagemaker: Caller) -> None:
    fleet(sagemaker, "d")
    with pytest.raises(InUse, match=r"because Device\(s\) are associated"):
        sagemaker.do("DeleteDeviceFleet", DeviceFleetName="f")
    sagemaker.do("DeregisterDevices", DeviceFleetName="f", DeviceNames=["d"])
    plan(sagemaker)
    with pytest.raises(InUse, match=r"because EdgeDeploymentPlan\(s\) are associated"):
        sagemaker.do("DeleteDeviceFleet", DeviceFleetName="f")
    sagemaker.do("DeleteEdgeDeploymentPlan", EdgeDeploymentPlanName="p")
    sagemaker.do("DeleteDeviceFleet", DeviceFleetName="f")
    with pytest.raises(InUse, match="already exists"):
        for _ in range(2):
            sagemaker.do("CreateDeviceFleet", DeviceFleetName="g", OutputConfig=OUTPUT)


def test_a_role_alias_is_refused_where_there_is_no_iot(sagemaker: Caller) -> None:
    params = {"DeviceFleetName": "f", "OutputConfig": OUTPUT}
    with pytest.raises(NotBuilt, match="EnableIotRoleAlias"):
        sagemaker.do("CreateDeviceFleet", **params, EnableIotRoleAlias=True)
    sagemaker.do("CreateDeviceFleet", **params, EnableIotRoleAlias=False)
    with pytest.raises(NotBuilt, match="EnableIotRoleAlias"):
        sagemaker.do("UpdateDeviceFleet", **params, EnableIotRoleAlias=True)
    sagemaker.do("UpdateDeviceFleet", **params, Description="all of them")
    assert sagemaker.do("DescribeDeviceFleet", DeviceFleetName="f")["Description"] == "all of them"


def test_heartbeats_say_what_is_on_a_device(sagemaker: Caller) -> None:
    fleet(sagemaker, "d-1", "d-2")
    fleet(sagemaker, "d-1", name="another")
    start = sagemaker.house.clock.now()
    sagemaker.wait(10)
    heartbeat(
        sagemaker, "d-1", model("cats", LatestInference=datetime.fromtimestamp(start, timezone.utc)), model("dogs")
    )
    told = sagemaker.do("DescribeDevice", DeviceFleetName="f", DeviceName="d-1")
    assert (told["LatestHeartbeat"], told["AgentVersion"]) == (start + 10, "1.0")
    assert told["Models"][0] == {"ModelName": "cats", "ModelVersion": "1.0", "LatestInference": start}

    def listed(**params: Any) -> list[str]:
        return names(sagemaker.do("ListDevices", **params)["DeviceSummaries"])

    assert listed(ModelName="dogs") == ["d-1"]
    assert listed(LatestHeartbeatAfter=datetime.fromtimestamp(start, timezone.utc)) == ["d-1"]
    assert listed(LatestHeartbeatAfter=datetime.fromtimestamp(start + 10, timezone.utc)) == []
    assert sorted(listed(DeviceFleetName="f")) == ["d-1", "d-2"]
    assert listed(DeviceFleetName="noth") == ["d-1"]
    assert listed(DeviceFleetName="none") == []
    heartbeat(sagemaker, "d-1", version="1.1")
    assert "Models" not in sagemaker.do("DescribeDevice", DeviceFleetName="f", DeviceName="d-1")


def test_a_report_counts_what_is_connected(sagemaker: Caller) -> None:
    fleet(sagemaker, "d-1", "d-2", "d-3")
    heartbeat(sagemaker, "d-1", model("cats"))
    sagemaker.wait(7200)
    recent = datetime.fromtimestamp(sagemaker.house.clock.now() - 60, timezone.utc)
    heartbeat(sagemaker, "d-2", model("cats", LatestInference=recent), model("dogs"), version="1.1")
    told = sagemaker.do("GetDeviceFleetReport", DeviceFleetName="f")
    assert told["DeviceStats"] == {"ConnectedDeviceCount": 1, "RegisteredDeviceCount": 3}
    assert told["AgentVersions"] == [{"Version": "1.0", "AgentCount": 1}, {"Version": "1.1", "AgentCount": 1}]
    cats = {"OfflineDeviceCount": 1, "ConnectedDeviceCount": 1, "ActiveDeviceCount": 1, "SamplingDeviceCount": 0}
    assert told["ModelStats"][0] == {"ModelName": "cats", "ModelVersion": "1.0", **cats}
    assert told["ModelStats"][1]["ActiveDeviceCount"] == 0
    assert told["OutputConfig"] == OUTPUT


def test_an_agent_learns_that_it_is_registered_and_has_nothing_to_deploy(sagemaker: Caller) -> None:
    fleet(sagemaker, "d")
    edge, device = sagemaker.of("sagemaker-edge"), {"DeviceFleetName": "f", "DeviceName": "d"}
    registration = edge.do("GetDeviceRegistration", **device)
    assert json.loads(registration["DeviceRegistration"])["DeviceArn"].endswith("device-fleet/f/device/d")
    assert edge.do("GetDeployments", **device) == {"Deployments": []}
    with pytest.raises(NotBuilt, match="DeploymentResult"):
        edge.do("SendHeartbeat", **device, AgentVersion="1", DeploymentResult={"DeploymentName": "x"})
    for operation in ("GetDeviceRegistration", "GetDeployments"):
        with pytest.raises(Validation, match="No device with name e"):
            edge.do(operation, DeviceFleetName="f", DeviceName="e")


# --- plans ------------------------------------------------------------------------------------------------------


def stage(name: str, **selection: Any) -> dict[str, Any]:
    chosen = selection or {"DeviceSubsetType": "PERCENTAGE", "Percentage": 50}
    return {"StageName": name, "DeviceSelectionConfig": chosen}


def plan(sagemaker: Caller, *stages: dict[str, Any], name: str = "p", fleet_name: str = "f") -> None:
    models = [{"ModelHandle": "m", "EdgePackagingJobName": "packed"}]
    params = {"EdgeDeploymentPlanName": name, "ModelConfigs": models, "DeviceFleetName": fleet_name}
    sagemaker.do("CreateEdgeDeploymentPlan", **params, Stages=list(stages))


def test_stages_become_ready_and_are_added_and_removed(sagemaker: Caller) -> None:
    fleet(sagemaker)
    plan(sagemaker, stage("one"))

    def stages(**params: Any) -> list[dict[str, Any]]:
        return sagemaker.pages("DescribeEdgeDeploymentPlan", "Stages", EdgeDeploymentPlanName="p", **params)

    assert [s["DeploymentStatus"]["StageStatus"] for s in stages()] == ["CREATING"]
    sagemaker.wait(2)
    extra = {**stage("two"), "DeploymentConfig": {"FailureHandlingPolicy": "DO_NOTHING"}}
    sagemaker.do("CreateEdgeDeploymentStage", EdgeDeploymentPlanName="p", Stages=[extra])
    told = stages(MaxResults=1)
    assert [s["DeploymentStatus"]["StageStatus"] for s in told] == ["READYTODEPLOY", "CREATING"]
    assert [s["DeploymentConfig"]["FailureHandlingPolicy"] for s in told] == ["ROLLBACK_ON_FAILURE", "DO_NOTHING"]
    with pytest.raises(Validation, match="must be unique within a plan: two"):
        sagemaker.do("CreateEdgeDeploymentStage", EdgeDeploymentPlanName="p", Stages=[stage("two")])
    with pytest.raises(Validation, match="give DeviceNames"):
        wrong = stage("x", DeviceSubsetType="SELECTION")
        sagemaker.do("CreateEdgeDeploymentStage", EdgeDeploymentPlanName="p", Stages=[wrong])
    with pytest.raises(Validation, match="at most 10 stages"):
        many = [stage(f"s{number}") for number in range(9)]
        sagemaker.do("CreateEdgeDeploymentStage", EdgeDeploymentPlanName="p", Stages=many)
    sagemaker.do("DeleteEdgeDeploymentStage", EdgeDeploymentPlanName="p", StageName="one")
    assert [s["StageName"] for s in stages()] == ["two"]
    with pytest.raises(Validation, match="has no stage one"):
        sagemaker.do("DeleteEdgeDeploymentStage", EdgeDeploymentPlanName="p", StageName="one")


def test_starting_a_stage_is_refused_and_what_was_not_started_cannot_be_stopped(sagemaker: Caller) -> None:
    fleet(sagemaker)
    plan(sagemaker, stage("one"))
    with pytest.raises(NotBuilt, match="StartEdgeDeploymentStage is not built: nothing here deploys to a device"):
        sagemaker.do("StartEdgeDeploymentStage", EdgeDeploymentPlanName="p", StageName="one")
    with pytest.raises(Validation, match="it was not started"):
        sagemaker.do("StopEdgeDeploymentStage", EdgeDeploymentPlanName="p", StageName="one")
    with pytest.raises(Exception, match="does not exist"):
        sagemaker.do("StartEdgeDeploymentStage", EdgeDeploymentPlanName="q", StageName="one")


def test_a_stage_knows_its_devices(sagemaker: Caller) -> None:
    fleet(sagemaker, "cam-1", "cam-2", "door-1")
    plan(
        sagemaker,
        stage("half"),
        stage("named", DeviceSubsetType="SELECTION", DeviceNames=["door-1", "gone"]),
        stage("cams", DeviceSubsetType="NAMECONTAINS", DeviceNameContains="cam"),
    )

    def devices(name: str) -> list[str]:
        asked = {"EdgeDeploymentPlanName": "p", "StageName": name, "MaxResults": 1}
        return names(sagemaker.pages("ListStageDevices", "DeviceDeploymentSummaries", **asked))

    assert devices("half") == ["cam-1", "cam-2"]
    assert devices("named") == ["door-1"]
    assert devices("cams") == ["cam-1", "cam-2"]
    told = sagemaker.do("ListStageDevices", EdgeDeploymentPlanName="p", StageName="named")
    assert told["DeviceDeploymentSummaries"][0]["DeviceDeploymentStatus"] == "READYTODEPLOY"


def test_plans_are_listed_by_their_fleet(sagemaker: Caller) -> None:
    for fleet_name in ("a", "b"):
        fleet(sagemaker, name=fleet_name)
    for name, fleet_name in (("p", "b"), ("q", "a"), ("r", "b")):
        plan(sagemaker, name=name, fleet_name=fleet_name)
        sagemaker.wait(1)

    def listed(**params: Any) -> list[str]:
        found = sagemaker.pages("ListEdgeDeploymentPlans", "EdgeDeploymentPlanSummaries", MaxResults=2, **params)
        return [summary["EdgeDeploymentPlanName"] for summary in found]

    assert listed(SortBy="DEVICE_FLEET_NAME", SortOrder="Ascending") == ["q", "p", "r"]
    assert listed(SortBy="DEVICE_FLEET_NAME", SortOrder="Descending") == ["r", "p", "q"]
    assert listed(DeviceFleetNameContains="b") == ["r", "p"]
    summary = sagemaker.do("ListEdgeDeploymentPlans", NameContains="q")["EdgeDeploymentPlanSummaries"][0]
    assert [summary[f"EdgeDeployment{word}"] for word in ("Success", "Pending", "Failed")] == [0, 0, 0]
    with pytest.raises(Validation, match="No devicefleet with name none"):
        plan(sagemaker, name="s", fleet_name="none")
