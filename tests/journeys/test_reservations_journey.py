"""Reservations: clusters, plans of capacity, fleets of devices, schedules; nothing is claimed to run on them."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, ROLE


def group(count: int, name: str = "workers") -> dict:
    script = {"SourceS3Uri": "s3://sagemaker-scripts", "OnCreate": "on_create.sh"}
    made = {"InstanceGroupName": name, "InstanceCount": count, "InstanceType": "ml.m5.large"}
    return {**made, "ExecutionRole": ROLE, "LifeCycleConfig": script}


@pytest.fixture
def cluster(records) -> str:
    """A cluster of two nodes, in service, which provisions continuously."""
    name = records.name("cluster")
    records.sagemaker.create_cluster(ClusterName=name, InstanceGroups=[group(2)], NodeProvisioningMode="Continuous")
    in_service(records, name)
    return name


def in_service(records, name: str) -> dict:
    return records.until(lambda: records.sagemaker.describe_cluster(ClusterName=name), "InService")


def nodes(records, name: str, count: int) -> list[dict]:
    def listed():
        found = records.sagemaker.list_cluster_nodes(ClusterName=name, IncludeNodeLogicalIds=True)
        return {"found": found["ClusterNodeSummaries"], "s": "there" if settled(found, count) else "on the way"}

    return records.until(listed, "there")["found"]


def settled(found: dict, count: int) -> bool:
    return [node["InstanceStatus"]["Status"] for node in found["ClusterNodeSummaries"]] == ["Running"] * count


@pytest.mark.proves("ListClusterNodes", "DescribeClusterNode", "BatchAddClusterNodes", "BatchDeleteClusterNodes")
def test_nodes_are_added_and_deleted(records, cluster):
    sagemaker = records.sagemaker
    wanted = [{"InstanceGroupName": "workers", "IncrementTargetCountBy": 1}]
    (added,) = sagemaker.batch_add_cluster_nodes(ClusterName=cluster, NodesToAdd=wanted)["Successful"]
    three = nodes(records, cluster, 3)
    assert added["NodeLogicalId"] in [node["NodeLogicalId"] for node in three]
    node = three[0]["InstanceId"]
    told = sagemaker.describe_cluster_node(ClusterName=cluster, NodeId=node)["NodeDetails"]
    assert (told["InstanceType"], told["InstanceStatus"]["Status"]) == ("ml.m5.large", "Running")
    assert sagemaker.batch_delete_cluster_nodes(ClusterName=cluster, NodeIds=[node])["Successful"] == [node]
    assert node not in [left["InstanceId"] for left in nodes(records, cluster, 2)]


@pytest.mark.proves(
    "ListClusterEvents",
    "DescribeClusterEvent",
    "ListClusterOperations",
    "DescribeClusterOperation",
    "UpdateClusterSoftware",
)
def test_what_was_done_to_a_cluster_is_told(records, cluster):
    sagemaker = records.sagemaker
    sagemaker.update_cluster(ClusterName=cluster, InstanceGroups=[group(3)])
    nodes(records, cluster, 3)
    operation = sagemaker.list_cluster_operations(ClusterName=cluster)["ClusterOperationSummaries"][0]
    asked = {"ClusterName": cluster, "OperationId": operation["OperationId"]}
    assert sagemaker.describe_cluster_operation(**asked)["Type"] == operation["Type"]
    events = sagemaker.list_cluster_events(**asked)["Events"]
    scaled = [event for event in events if event.get("Description", "").endswith("from 2 to 3 instances.")]
    detail = sagemaker.describe_cluster_event(ClusterName=cluster, EventId=scaled[0]["EventId"])["EventDetails"]
    assert detail["Description"] == scaled[0]["Description"]

    in_service(records, cluster)
    release = [{"InstanceGroupName": "workers", "ImageReleaseVersion": "1.2.3"}]
    sagemaker.update_cluster_software(ClusterName=cluster, InstanceGroups=release)
    (shown,) = in_service(records, cluster)["InstanceGroups"]
    assert shown["DesiredImageReleaseVersion"] == "1.2.3"


@pytest.mark.proves(
    "SearchTrainingPlanOfferings",
    "CreateTrainingPlan",
    "DescribeReservedCapacity",
    "ExtendTrainingPlan",
    "DescribeTrainingPlanExtensionHistory",
)
def test_a_plan_is_searched_bought_and_extended(records):
    sagemaker, name = records.sagemaker, records.name("plan")
    asked = {"InstanceType": "ml.p4d.24xlarge", "InstanceCount": 1, "DurationHours": 24}
    (offer,) = sagemaker.search_training_plan_offerings(**asked, TargetResources=["training-job"])[
        "TrainingPlanOfferings"
    ]
    made = sagemaker.create_training_plan(TrainingPlanName=name, TrainingPlanOfferingId=offer["TrainingPlanOfferingId"])
    plan = records.until(lambda: sagemaker.describe_training_plan(TrainingPlanName=name), "Active")
    (summary,) = plan["ReservedCapacitySummaries"]
    capacity = sagemaker.describe_reserved_capacity(ReservedCapacityArn=summary["ReservedCapacityArn"])
    assert (capacity["InstanceType"], capacity["TotalInstanceCount"]) == ("ml.p4d.24xlarge", 1)

    more = sagemaker.search_training_plan_offerings(TrainingPlanArn=made["TrainingPlanArn"], DurationHours=24)
    longer = more["TrainingPlanExtensionOfferings"][0]["TrainingPlanExtensionOfferingId"]
    sagemaker.extend_training_plan(TrainingPlanExtensionOfferingId=longer)
    after = sagemaker.describe_training_plan(TrainingPlanName=name)
    assert after["EndTime"] > plan["EndTime"]
    history = sagemaker.describe_training_plan_extension_history(TrainingPlanArn=made["TrainingPlanArn"])
    assert [one["EndDate"] for one in history["TrainingPlanExtensions"]] == [after["EndTime"]]


@pytest.fixture
def fleet(records) -> str:
    """A fleet of devices that nobody has registered yet."""
    name = records.name("fleet")
    where = {"S3OutputLocation": "s3://edge/out"}
    records.sagemaker.create_device_fleet(DeviceFleetName=name, OutputConfig=where, RoleArn=ROLE)
    return name


def register(records, fleet: str) -> None:
    devices = [{"DeviceName": device, "IotThingName": f"thing-{device}"} for device in ("cam-1", "door-1")]
    records.sagemaker.register_devices(DeviceFleetName=fleet, Devices=devices)


@pytest.mark.proves(
    "RegisterDevices",
    "DescribeDevice",
    "ListDevices",
    "UpdateDevices",
    "DeregisterDevices",
    "GetDeviceFleetReport",
    "sagemaker-edge.GetDeviceRegistration",
    "sagemaker-edge.SendHeartbeat",
    "sagemaker-edge.GetDeployments",
)
def test_devices_report_to_their_fleet(records, fleet):
    sagemaker, edge = records.sagemaker, records.of("sagemaker-edge")
    register(records, fleet)
    device = {"DeviceFleetName": fleet, "DeviceName": "cam-1"}
    told = json.loads(edge.get_device_registration(**device)["DeviceRegistration"])
    assert told["DeviceArn"] == sagemaker.describe_device(**device)["DeviceArn"]
    assert edge.get_deployments(**device)["Deployments"] == []
    edge.send_heartbeat(**device, AgentVersion="1.0", Models=[{"ModelName": "cats", "ModelVersion": "1"}])
    sagemaker.update_devices(DeviceFleetName=fleet, Devices=[{"DeviceName": "cam-1", "Description": "by the door"}])
    shown = sagemaker.describe_device(**device)
    assert (shown["AgentVersion"], shown["Description"]) == ("1.0", "by the door")
    assert sagemaker.get_device_fleet_report(DeviceFleetName=fleet)["DeviceStats"] == {
        "ConnectedDeviceCount": 1,
        "RegisteredDeviceCount": 2,
    }
    sagemaker.deregister_devices(DeviceFleetName=fleet, DeviceNames=["door-1"])
    left = sagemaker.list_devices(DeviceFleetName=fleet)["DeviceSummaries"]
    assert [item["DeviceName"] for item in left] == ["cam-1"]


@pytest.mark.proves("CreateEdgeDeploymentStage", "DeleteEdgeDeploymentStage", "ListStageDevices")
def test_a_plan_of_stages_knows_its_devices_and_deploys_to_none(records, fleet):
    sagemaker, name = records.sagemaker, records.name("plan")
    register(records, fleet)
    models = [{"ModelHandle": "m", "EdgePackagingJobName": "packed"}]
    sagemaker.create_edge_deployment_plan(EdgeDeploymentPlanName=name, ModelConfigs=models, DeviceFleetName=fleet)
    chosen = {"DeviceSubsetType": "SELECTION", "DeviceNames": ["door-1"]}
    stage = {"StageName": "doors", "DeviceSelectionConfig": chosen}
    sagemaker.create_edge_deployment_stage(EdgeDeploymentPlanName=name, Stages=[stage])
    asked = {"EdgeDeploymentPlanName": name, "StageName": "doors"}
    (device,) = sagemaker.list_stage_devices(**asked)["DeviceDeploymentSummaries"]
    assert (device["DeviceName"], device["DeviceDeploymentStatus"]) == ("door-1", "READYTODEPLOY")
    for start in (sagemaker.start_edge_deployment_stage, sagemaker.stop_edge_deployment_stage):
        with pytest.raises(ClientError) as refused:
            start(**asked)
        assert refused.value.response["Error"]["Code"] in ("NotImplementedException", "ValidationException")
    sagemaker.delete_edge_deployment_stage(**asked)
    assert sagemaker.describe_edge_deployment_plan(EdgeDeploymentPlanName=name)["Stages"] == []


@pytest.mark.proves("ListMonitoringAlerts", "UpdateMonitoringAlert")
def test_a_schedule_has_an_alert_that_can_be_set(records):
    sagemaker, name = records.sagemaker, records.name("schedule")
    source = {"DataCapturedDestinationS3Uri": "s3://b/in", "DatasetFormat": {"Csv": {}}, "LocalPath": "/opt/in"}
    output = {"S3Output": {"S3Uri": "s3://b/out", "LocalPath": "/opt/ml/processing/out"}}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
    definition = {
        "MonitoringInputs": [{"BatchTransformInput": source}],
        "MonitoringOutputConfig": {"MonitoringOutputs": [output]},
        "MonitoringResources": {"ClusterConfig": cluster},
        "MonitoringAppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
    }
    hourly = {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}, "MonitoringJobDefinition": definition}
    sagemaker.create_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=hourly)
    (alert,) = sagemaker.list_monitoring_alerts(MonitoringScheduleName=name)["MonitoringAlertSummaries"]
    assert (alert["AlertStatus"], alert["DatapointsToAlert"]) == ("OK", 1)
    sagemaker.update_monitoring_alert(
        MonitoringScheduleName=name,
        MonitoringAlertName=alert["MonitoringAlertName"],
        DatapointsToAlert=2,
        EvaluationPeriod=3,
    )
    (alert,) = sagemaker.list_monitoring_alerts(MonitoringScheduleName=name)["MonitoringAlertSummaries"]
    assert (alert["DatapointsToAlert"], alert["EvaluationPeriod"]) == (2, 3)
