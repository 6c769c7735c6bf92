"""Clusters are reservations: groups grow and shrink, nodes come and go by the clock, and no machine is claimed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.behaviours import cluster_groups as fleets
from emulator.errors import CallerFault, Conflict, InUse, NotBuilt, NotFound, Validation
from tests.behaviours.houses import ROLE, SCOPE, Caller, caller

VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}


def group(name: str = "workers", count: int = 2, **more: Any) -> dict[str, Any]:
    made = {"InstanceGroupName": name, "InstanceCount": count, "ExecutionRole": ROLE}
    return {**made, "InstanceType": "ml.m5.large", **more}


@pytest.fixture
def sagemaker() -> Iterator[Caller]:
    with caller() as made:
        yield made


def create(sagemaker: Caller, *groups: dict[str, Any], name: str = "c", **more: Any) -> str:
    params = {"ClusterName": name, "InstanceGroups": list(groups or [group()]), **more}
    return str(sagemaker.do("CreateCluster", **params)["ClusterArn"])


def nodes(sagemaker: Caller, **params: Any) -> list[dict[str, Any]]:
    return sagemaker.pages("ListClusterNodes", "ClusterNodeSummaries", ClusterName="c", **params)


def statuses(sagemaker: Caller, **params: Any) -> list[str]:
    return [node["InstanceStatus"]["Status"] for node in nodes(sagemaker, **params)]


def shown(sagemaker: Caller) -> dict[str, dict[str, Any]]:
    groups = sagemaker.do("DescribeCluster", ClusterName="c")["InstanceGroups"]
    return {group["InstanceGroupName"]: group for group in groups}


def test_a_cluster_comes_into_service_with_its_nodes(sagemaker: Caller) -> None:
    arn = create(sagemaker, group(count=2), group("head", 1), VpcConfig=VPC, Tags=[{"Key": "a", "Value": "b"}])
    assert arn.startswith("arn:aws:sagemaker:eu-west-1:123456789012:cluster/")
    assert len(arn.rsplit("/")[-1]) == 12
    first = sagemaker.do("DescribeCluster", ClusterName=arn)
    assert first["ClusterStatus"] == "Creating"
    assert [(g["CurrentCount"], g["TargetCount"], g["Status"]) for g in first["InstanceGroups"]] == [
        (0, 2, "Creating"),
        (0, 1, "Creating"),
    ]
    assert statuses(sagemaker) == ["Pending"] * 3
    sagemaker.wait(2)
    then = sagemaker.do("DescribeCluster", ClusterName="c")
    assert (then["ClusterStatus"], then["VpcConfig"], then["NodeRecovery"]) == ("InService", VPC, "Automatic")
    assert [(g["CurrentCount"], g["Status"]) for g in then["InstanceGroups"]] == [(2, "InService"), (1, "InService")]
    assert "RestrictedInstanceGroups" not in then
    assert statuses(sagemaker) == ["Running"] * 3
    assert sagemaker.do("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_node_is_described_as_its_group_says_and_with_no_address(sagemaker: Caller) -> None:
    script = {"SourceS3Uri": "s3://sagemaker-scripts", "OnCreate": "on_create.sh"}
    create(sagemaker, group(LifeCycleConfig=script, ThreadsPerCore=1, ImageId="ami-0123456789"))
    node = nodes(sagemaker)[0]
    assert len(node["InstanceId"]) == 19 and node["InstanceId"].startswith("i-")
    told = sagemaker.do("DescribeClusterNode", ClusterName="c", NodeId=node["InstanceId"])["NodeDetails"]
    assert (told["LifeCycleConfig"], told["ThreadsPerCore"]) == (script, 1)
    assert (told["CurrentImageId"], told["DesiredImageId"]) == ("ami-0123456789", "ami-0123456789")
    assert told["LaunchTime"] == node["LaunchTime"]
    assert not {"PrivatePrimaryIp", "PrivateDnsHostname", "Placement", "LastSoftwareUpdateTime"} & set(told)
    with pytest.raises(NotFound, match="Could not find node 'i-01234567' in cluster 'c'"):
        sagemaker.do("DescribeClusterNode", ClusterName="c", NodeId="i-01234567")
    with pytest.raises(Validation, match="exactly one of NodeId and NodeLogicalId"):
        sagemaker.do("DescribeClusterNode", ClusterName="c")
    with pytest.raises(NotFound, match=r"Could not find cluster 'arn:aws:sagemaker:.*:cluster/"):
        sagemaker.do("DescribeClusterNode", ClusterName="other", NodeId="i-01234567")


def test_a_group_grows_shrinks_and_goes(sagemaker: Caller) -> None:
    create(sagemaker, group(count=2), group("spare", 1))
    sagemaker.wait(2)
    kept = [node["InstanceId"] for node in nodes(sagemaker, InstanceGroupNameContains="work")]
    sagemaker.do("UpdateCluster", ClusterName="c", InstanceGroups=[group(count=4), group("new", 1)])
    assert sagemaker.do("DescribeCluster", ClusterName="c")["ClusterStatus"] == "Updating"
    assert statuses(sagemaker, InstanceGroupNameContains="work") == ["Running", "Running", "Pending", "Pending"]
    told = shown(sagemaker)
    assert (told["workers"]["Status"], told["workers"]["ActiveOperations"]) == ("Updating", {"Scaling": 1})
    assert (told["new"]["Status"], told["spare"]["Status"]) == ("Creating", "InService")
    with pytest.raises(Conflict, match="its status is Updating"):
        sagemaker.do("UpdateCluster", ClusterName="c", NodeRecovery="None")
    sagemaker.wait(2)
    sagemaker.do("UpdateCluster", ClusterName="c", InstanceGroups=[group(count=2)], InstanceGroupsToDelete=["spare"])
    assert statuses(sagemaker, InstanceGroupNameContains="work") == ["Running", "Running"] + ["ShuttingDown"] * 2
    assert shown(sagemaker)["spare"]["Status"] == "Deleting"
    sagemaker.wait(2)
    assert [node["InstanceId"] for node in nodes(sagemaker, InstanceGroupNameContains="work")] == kept
    assert {name: g["CurrentCount"] for name, g in shown(sagemaker).items()} == {"workers": 2, "new": 1}
    operations = sagemaker.do("ListClusterOperations", ClusterName="c")["ClusterOperationSummaries"]
    assert [(told["Type"], told["Status"]) for told in operations] == [("Scaling", "Done")] * 2
    newest = sagemaker.do("DescribeClusterOperation", ClusterName="c", OperationId=operations[0]["OperationId"])
    changes = {detail["InstanceGroupName"]: detail for detail in newest["ScalingDetails"]}
    assert changes["workers"]["Original"] == {"CurrentCount": 4, "TargetCount": 4}
    assert changes["workers"]["Desired"] == {"TargetCount": 2}
    assert changes["spare"]["Desired"] == {"TargetCount": 0}
    assert sagemaker.do("ListClusterEvents", ClusterName="c")["Events"] == []


def test_a_fleet_is_kept_as_json_so_that_a_restart_finds_it_as_it_was(sagemaker: Caller) -> None:
    create(sagemaker, group(count=2), NodeProvisioningMode="Continuous")
    sagemaker.wait(2)
    sagemaker.do("UpdateCluster", ClusterName="c", InstanceGroups=[group(count=1)])
    record = sagemaker.house.resources.get("Cluster", SCOPE, "c")
    fleet = fleets.load(record.hidden)
    assert fleets.load(json.loads(json.dumps({"fleet": fleets.save(fleet)}))) == fleet
    assert len(fleet.nodes) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"InstanceGroups": [group(), group()]}, "must be unique within a cluster: workers"),
        ({"InstanceGroups": [group(InstanceType=None)]}, "exactly one of InstanceType and InstanceRequirements"),
        ({"InstanceGroups": [group(MinInstanceCount=9)]}, "MinInstanceCount of instance group workers is greater"),
        ({"Orchestrator": {}}, "exactly one of Eks and Slurm"),
        (
            {"InstanceGroups": [group(LifeCycleConfig={"SourceS3Uri": "s3://mine", "OnCreate": "x"})]},
            "Validation Error: SourceS3Uri s3://mine does not start with 's3://sagemaker'.",
        ),
        (
            {"InstanceGroups": [group(TrainingPlanArn="arn:aws:sagemaker:eu-west-1:123456789012:training-plan/none")]},
            "TrainingPlan 'arn:.*none' does not exist",
        ),
    ],
)
def test_what_cannot_be_a_cluster(sagemaker: Caller, change: dict[str, Any], message: str) -> None:
    with pytest.raises(Validation, match=message):
        sagemaker.do("CreateCluster", **{"ClusterName": "c", "InstanceGroups": [group()], **change})
    with pytest.raises(NotFound):
        sagemaker.do("DescribeCluster", ClusterName="c")


def test_a_name_is_taken_once_and_an_update_keeps_what_is_fixed(sagemaker: Caller) -> None:
    create(sagemaker)
    with pytest.raises(InUse, match=r"Cluster with name c already exists\. Choose a different name\."):
        create(sagemaker)
    sagemaker.wait(2)
    for change in ({"OverrideVpcConfig": VPC}, {"InstanceType": "ml.m5.xlarge"}):
        with pytest.raises(Validation, match=f"Updating fields {next(iter(change))} on an InstanceGroup not supported"):
            sagemaker.do("UpdateCluster", ClusterName="c", InstanceGroups=[group(**change)])
    with pytest.raises(Validation, match="no instance group other to delete"):
        sagemaker.do("UpdateCluster", ClusterName="c", InstanceGroupsToDelete=["other"])
    assert statuses(sagemaker) == ["Running"] * 2


def test_what_differs_while_it_changes_is_shown_as_it_is_and_as_it_is_wanted(sagemaker: Caller) -> None:
    labels = {"Labels": {"team": "blue"}}
    flexible = group(InstanceType=None, InstanceRequirements={"InstanceTypes": ["ml.m5.large", "ml.m5.xlarge"]})
    create(sagemaker, {**flexible, "KubernetesConfig": labels, "MinInstanceCount": 1})
    sagemaker.wait(2)
    told = shown(sagemaker)["workers"]
    assert told["KubernetesConfig"] == {"CurrentLabels": {"team": "blue"}, "DesiredLabels": {"team": "blue"}}
    assert told["InstanceRequirements"]["DesiredInstanceTypes"] == ["ml.m5.large", "ml.m5.xlarge"]
    assert told["InstanceTypeDetails"] == [{"InstanceType": "ml.m5.large", "CurrentCount": 2}]
    assert told["MinCount"] == 1
    assert {node["InstanceType"] for node in nodes(sagemaker)} == {"ml.m5.large"}


def test_restricted_groups_are_shown_apart(sagemaker: Caller) -> None:
    shared = {
        "FSxLustreDeletionPolicy": "Keep",
        "FSxLustreConfig": {"SizeInGiB": 1200, "PerUnitStorageThroughput": 125},
    }
    sagemaker.do(
        "CreateCluster",
        ClusterName="c",
        RestrictedInstanceGroups=[{**group("rig", 1), "InstanceType": "ml.p5.48xlarge"}],
        RestrictedInstanceGroupsConfig={"SharedEnvironmentConfig": shared},
    )
    told = sagemaker.do("DescribeCluster", ClusterName="c")
    assert told["InstanceGroups"] == []
    assert [g["InstanceGroupName"] for g in told["RestrictedInstanceGroups"]] == ["rig"]
    config = told["RestrictedInstanceGroupsConfig"]["SharedEnvironmentConfig"]
    assert config["CurrentFSxLustreDeletionPolicy"] == config["DesiredFSxLustreDeletionPolicy"] == "Keep"
    assert [node["InstanceGroupName"] for node in nodes(sagemaker)] == ["rig"]


def test_nodes_are_added_to_clusters_that_provision_continuously(sagemaker: Caller) -> None:
    create(sagemaker, group(count=1), NodeProvisioningMode="Continuous")
    sagemaker.wait(2)
    asked = [
        {"InstanceGroupName": "workers", "IncrementTargetCountBy": 2},
        {"InstanceGroupName": "absent", "IncrementTargetCountBy": 3},
    ]
    added = sagemaker.do("BatchAddClusterNodes", ClusterName="c", NodesToAdd=asked, ClientToken="t")
    assert [node["Status"] for node in added["Successful"]] == ["Pending", "Pending"]
    assert [(f["InstanceGroupName"], f["ErrorCode"], f["FailedCount"]) for f in added["Failed"]] == [
        ("absent", "InstanceGroupNotFound", 3)
    ]
    again = sagemaker.do("BatchAddClusterNodes", ClusterName="c", NodesToAdd=asked, ClientToken="t")
    assert again["Successful"] == added["Successful"]
    cluster = sagemaker.do("DescribeCluster", ClusterName="c")
    assert (cluster["ClusterStatus"], cluster["InstanceGroups"][0]["Status"]) == ("InService", "InService")
    assert (cluster["InstanceGroups"][0]["CurrentCount"], cluster["InstanceGroups"][0]["TargetCount"]) == (1, 3)
    logical = added["Successful"][0]["NodeLogicalId"]
    sagemaker.wait(2)
    told = sagemaker.do("DescribeClusterNode", ClusterName="c", NodeLogicalId=logical)["NodeDetails"]
    assert told["InstanceStatus"] == {"Status": "Running"}
    assert all("NodeLogicalId" not in node for node in nodes(sagemaker))
    assert logical in [node["NodeLogicalId"] for node in nodes(sagemaker, IncludeNodeLogicalIds=True)]


def test_nodes_are_deleted_one_by_one(sagemaker: Caller) -> None:
    slurm = {"SlurmConfig": {"NodeType": "Controller"}}
    create(sagemaker, group("head", 1, **slurm), group(count=2), NodeProvisioningMode="Continuous")
    sagemaker.wait(2)
    head, first, second = nodes(sagemaker, IncludeNodeLogicalIds=True)
    done = sagemaker.do(
        "BatchDeleteClusterNodes",
        ClusterName="c",
        NodeIds=[head["InstanceId"], first["InstanceId"], "i-01234567"],
        NodeLogicalIds=[second["NodeLogicalId"]],
    )
    assert done["Successful"] == [first["InstanceId"]]
    assert done["SuccessfulNodeLogicalIds"] == [second["NodeLogicalId"]]
    assert [failure["Code"] for failure in done["Failed"]] == ["NodeIdInUse", "NodeIdNotFound"]
    assert "FailedNodeLogicalIds" not in done
    sagemaker.wait(2)
    assert [node["InstanceId"] for node in nodes(sagemaker)] == [head["InstanceId"]]
    assert shown(sagemaker)["workers"]["TargetCount"] == 0


def test_events_and_operations_tell_what_was_done(sagemaker: Caller) -> None:
    create(sagemaker, group(count=1), NodeProvisioningMode="Continuous")
    sagemaker.wait(2)
    for count in (3, 2):
        sagemaker.do("UpdateCluster", ClusterName="c", InstanceGroups=[group(count=count)])
        sagemaker.wait(1)
    told = sagemaker.do("ListClusterOperations", ClusterName="c")["ClusterOperationSummaries"]
    assert [one["Status"] for one in told] == ["InProgress", "Superseded"]
    sagemaker.wait(2)
    assert len(sagemaker.do("ListClusterOperations", ClusterName="c", Status="Done")["ClusterOperationSummaries"]) == 1
    events = sagemaker.pages("ListClusterEvents", "Events", ClusterName="c", MaxResults=2)
    assert events[-1]["Description"] == "Cluster was created."
    assert len(events) == 1 + 2 + 2 + 1
    groups = sagemaker.do("ListClusterEvents", ClusterName="c", ResourceType="InstanceGroup", SortOrder="Ascending")
    assert [event["Description"] for event in groups["Events"]] == [
        "Instance group workers was scaled from 1 to 3 instances.",
        "Instance group workers was scaled from 3 to 2 instances.",
    ]
    detail = sagemaker.do("DescribeClusterEvent", ClusterName="c", EventId=groups["Events"][0]["EventId"])
    metadata = detail["EventDetails"]["EventDetails"]["EventMetadata"]
    assert metadata == {"InstanceGroupScaling": {"TargetCount": 3}}
    by_operation = sagemaker.do("ListClusterEvents", ClusterName="c", OperationId=told[1]["OperationId"])["Events"]
    assert len(by_operation) == 3
    with pytest.raises(NotFound):
        sagemaker.do("DescribeClusterEvent", ClusterName="c", EventId="0" * 8 + "-0000-0000-0000-" + "0" * 12)


def test_nodes_are_listed_in_pages_that_survive_new_ones(sagemaker: Caller) -> None:
    create(sagemaker, group(count=5))
    sagemaker.wait(2)
    page = sagemaker.do("ListClusterNodes", ClusterName="c", MaxResults=3)
    sagemaker.do("UpdateCluster", ClusterName="c", InstanceGroups=[group(count=6)])
    rest = sagemaker.do("ListClusterNodes", ClusterName="c", MaxResults=3, NextToken=page["NextToken"])
    ids = [node["InstanceId"] for node in (*page["ClusterNodeSummaries"], *rest["ClusterNodeSummaries"])]
    assert len(set(ids)) == 6
    with pytest.raises(Validation, match="Invalid NextToken"):
        sagemaker.do("ListClusterNodes", ClusterName="c", SortBy="NAME", NextToken=page["NextToken"])


def test_what_needs_a_machine_is_refused_by_name_after_an_absent_cluster_is_told(sagemaker: Caller) -> None:
    arn = create(sagemaker)
    sagemaker.wait(2)
    node = nodes(sagemaker)[0]["InstanceId"]
    for operation in ("BatchRebootClusterNodes", "BatchReplaceClusterNodes"):
        with pytest.raises(NotBuilt, match=f"{operation} is not built: the nodes of a cluster are a reservation"):
            sagemaker.do(operation, ClusterName="c", NodeIds=[node])
        with pytest.raises(NotFound, match=r"Could not find cluster 'arn:aws:sagemaker:.*:cluster/"):
            sagemaker.do(operation, ClusterName="x", NodeIds=[node])
    move = {"SourceInstanceGroupName": "a", "TargetClusterArn": arn, "TargetInstanceGroupName": "b"}
    with pytest.raises(NotBuilt, match="MoveClusterNodes"):
        sagemaker.do("MoveClusterNodes", SourceClusterArn=arn, **move)
    with pytest.raises(NotFound):
        sagemaker.do("MoveClusterNodes", SourceClusterArn=arn[:-12] + "0" * 12, **move)
    with pytest.raises(NotBuilt, match="AutoScaling"):
        sagemaker.do("UpdateCluster", ClusterName="c", AutoScaling={"Mode": "Enable"})
    with pytest.raises(NotBuilt, match="UpdateClusterSoftware to the latest image"):
        sagemaker.do("UpdateClusterSoftware", ClusterName="c")


def test_another_image_is_noted_down_and_no_software_update_claimed(sagemaker: Caller) -> None:
    create(sagemaker, group(), group("other", 1))
    sagemaker.wait(2)
    wanted = [{"InstanceGroupName": "workers", "ImageReleaseVersion": "1.2.3"}]
    sagemaker.do("UpdateClusterSoftware", ClusterName="c", InstanceGroups=wanted)
    assert sagemaker.do("DescribeCluster", ClusterName="c")["ClusterStatus"] == "SystemUpdating"
    sagemaker.wait(2)
    told = shown(sagemaker)
    assert told["workers"]["DesiredImageReleaseVersion"] == "1.2.3"
    assert "DesiredImageReleaseVersion" not in told["other"]
    assert not any("SoftwareUpdateStatus" in group for group in told.values())


def test_a_cluster_is_deleted_with_its_nodes(sagemaker: Caller) -> None:
    arn = create(sagemaker)
    with pytest.raises(Conflict, match="its status is Creating"):
        sagemaker.do("DeleteCluster", ClusterName="c")
    sagemaker.wait(2)
    assert sagemaker.do("DeleteCluster", ClusterName=arn) == {"ClusterArn": arn}
    assert statuses(sagemaker) == ["ShuttingDown"] * 2
    sagemaker.wait(2)
    with pytest.raises(NotFound, match=r"Could not find cluster 'arn:aws:sagemaker:.*:cluster/"):
        sagemaker.do("DescribeCluster", ClusterName="c")


def test_clusters_are_listed_by_age_and_a_page_is_cut_before_the_filters(sagemaker: Caller) -> None:
    for name in ("b-1", "a-1", "b-2"):
        create(sagemaker, name=name)
        sagemaker.wait(1)
    listed = sagemaker.do("ListClusters")["ClusterSummaries"]
    assert [cluster["ClusterName"] for cluster in listed] == ["b-1", "a-1", "b-2"]
    by_name = sagemaker.do("ListClusters", SortBy="NAME", SortOrder="Descending")["ClusterSummaries"]
    assert [cluster["ClusterName"] for cluster in by_name] == ["b-2", "b-1", "a-1"]
    page = sagemaker.do("ListClusters", NameContains="b-", MaxResults=2)
    assert [cluster["ClusterName"] for cluster in page["ClusterSummaries"]] == ["b-1"]
    rest = sagemaker.do("ListClusters", NameContains="b-", MaxResults=2, NextToken=page["NextToken"])
    assert [cluster["ClusterName"] for cluster in rest["ClusterSummaries"]] == ["b-2"]


# --- governance -------------------------------------------------------------------------------------------------


def test_a_policy_has_versions_and_is_changed_from_the_one_that_was_seen(sagemaker: Caller) -> None:
    arn = create(sagemaker)
    policy = {"ClusterArn": arn, "SchedulerConfig": {"FairShare": "Enabled"}}
    made = sagemaker.do("CreateClusterSchedulerConfig", Name="p", **policy)
    key = {"ClusterSchedulerConfigId": made["ClusterSchedulerConfigId"]}
    first = sagemaker.do("DescribeClusterSchedulerConfig", **key)
    assert (first["Status"], first["ClusterSchedulerConfigVersion"]) == ("Creating", 1)
    sagemaker.wait(2)
    changed = {"SchedulerConfig": {"FairShare": "Disabled"}}
    with pytest.raises(Conflict, match=r"TargetVersion is 2, but the version .* is 1"):
        sagemaker.do("UpdateClusterSchedulerConfig", **key, TargetVersion=2, **changed)
    answer = sagemaker.do("UpdateClusterSchedulerConfig", **key, TargetVersion=1, **changed)
    assert answer["ClusterSchedulerConfigVersion"] == 2
    sagemaker.wait(2)
    now = sagemaker.do("DescribeClusterSchedulerConfig", **key)
    assert (now["Status"], now["SchedulerConfig"]) == ("Updated", {"FairShare": "Disabled"})
    old = sagemaker.do("DescribeClusterSchedulerConfig", **key, ClusterSchedulerConfigVersion=1)
    assert old["SchedulerConfig"] == {"FairShare": "Enabled"}
    with pytest.raises(NotFound):
        sagemaker.do("DescribeClusterSchedulerConfig", **key, ClusterSchedulerConfigVersion=7)
    with pytest.raises(Conflict, match="already exists"):
        sagemaker.do("CreateClusterSchedulerConfig", Name="p", **policy)
    sagemaker.do("DeleteClusterSchedulerConfig", **key)
    sagemaker.wait(2)
    with pytest.raises(NotFound):
        sagemaker.do("DescribeClusterSchedulerConfig", **key)


def test_quotas_are_listed_by_cluster_name_and_status(sagemaker: Caller) -> None:
    arns = [create(sagemaker, name=name) for name in ("one", "two")]
    config = {"ComputeQuotaResources": [{"InstanceType": "ml.m5.large", "Count": 1}]}
    for name, arn in (("a", arns[0]), ("b", arns[1]), ("c", arns[0])):
        target = {"TeamName": name, "FairShareWeight": 10}
        params = {"Name": name, "ClusterArn": arn, "ComputeQuotaConfig": config, "ComputeQuotaTarget": target}
        sagemaker.do("CreateComputeQuota", **params)
        sagemaker.wait(3)
    listed = sagemaker.do("ListComputeQuotas", ClusterArn=arns[0], SortBy="Name", SortOrder="Ascending")
    assert [quota["Name"] for quota in listed["ComputeQuotaSummaries"]] == ["a", "c"]
    assert listed["ComputeQuotaSummaries"][0]["ActivationState"] == "Enabled"
    assert [q["Name"] for q in sagemaker.do("ListComputeQuotas", NameContains="b")["ComputeQuotaSummaries"]] == ["b"]
    by_cluster = sagemaker.pages("ListComputeQuotas", "ComputeQuotaSummaries", SortBy="ClusterArn", MaxResults=1)
    assert [quota["ClusterArn"] for quota in by_cluster] == sorted((q["ClusterArn"] for q in by_cluster), reverse=True)
    absent = arns[0][:-12] + "0" * 12
    with pytest.raises(Validation, match="Could not find cluster"):
        sagemaker.do("CreateComputeQuota", **{**params, "ClusterArn": absent})
    assert sagemaker.do("ListComputeQuotas", ClusterArn=absent)["ComputeQuotaSummaries"] == []


def test_extensions_are_refused_and_none_are_there(sagemaker: Caller) -> None:
    arn = create(sagemaker)
    with pytest.raises(NotBuilt, match="CreateClusterExtension"):
        sagemaker.do("CreateClusterExtension", ClusterArn=arn, ExtensionName="sagemaker-observability")
    assert sagemaker.do("ListClusterExtensions", ClusterArn=arn) == {"Extensions": []}
    assert sagemaker.do("ListClusterExtensionVersions", ExtensionName="any") == {"ExtensionVersions": []}
    with pytest.raises(CallerFault, match="Could not find cluster"):
        sagemaker.do("ListClusterExtensions", ClusterArn=arn[:-12] + "0" * 12)
