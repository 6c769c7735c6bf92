"""A HyperPod cluster through real boto3: made, grown, shrunk, governed, deleted, and kept over a kill."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import ROLE, Client

POLICY = {"PriorityClasses": [{"Name": "training", "Weight": 90}], "FairShare": "Enabled"}


def group(name: str, count: int) -> dict:
    script = {"SourceS3Uri": "s3://sagemaker-scripts", "OnCreate": "on_create.sh"}
    made = {"InstanceGroupName": name, "InstanceCount": count, "InstanceType": "ml.m5.large"}
    return {**made, "ExecutionRole": ROLE, "LifeCycleConfig": script}


def in_service(client: Client, name: str) -> dict:
    return client.until(lambda: client.sagemaker.describe_cluster(ClusterName=name), "InService")


def counts(told: dict) -> dict[str, tuple[int, int]]:
    """Of every group: how many nodes it has, and how many it is to have."""
    return {one["InstanceGroupName"]: (one["CurrentCount"], one["TargetCount"]) for one in told["InstanceGroups"]}


@pytest.fixture
def cluster(records) -> str:
    """The ARN of a cluster in service, with two groups."""
    name = records.name("cluster")
    tags = [{"Key": "team", "Value": "a"}]
    arn = records.sagemaker.create_cluster(
        ClusterName=name, InstanceGroups=[group("head", 1), group("workers", 2)], Tags=tags
    )["ClusterArn"]
    in_service(records, name)
    return arn


@pytest.mark.proves("DescribeCluster", "ListClusters", "UpdateCluster", "DeleteCluster")
def test_a_cluster_grows_shrinks_and_goes(records, cluster):
    sagemaker = records.sagemaker
    told = sagemaker.describe_cluster(ClusterName=cluster)
    name = told["ClusterName"]
    assert re.fullmatch(r"arn:aws:sagemaker:us-east-1:123456789012:cluster/[a-z0-9]{12}", cluster)
    assert counts(told) == {"head": (1, 1), "workers": (2, 2)}
    assert sagemaker.list_tags(ResourceArn=cluster)["Tags"] == [{"Key": "team", "Value": "a"}]
    (listed,) = sagemaker.list_clusters(NameContains=name)["ClusterSummaries"]
    assert (listed["ClusterArn"], listed["ClusterStatus"]) == (cluster, "InService")

    sagemaker.update_cluster(ClusterName=name, InstanceGroups=[group("workers", 4)])
    assert counts(in_service(records, name)) == {"head": (1, 1), "workers": (4, 4)}
    nodes = sagemaker.list_cluster_nodes(ClusterName=name, InstanceGroupNameContains="workers")["ClusterNodeSummaries"]
    assert len({node["InstanceId"] for node in nodes}) == 4
    assert not {"PrivatePrimaryIp", "PrivateDnsHostname", "Placement"} & set(nodes[0])

    sagemaker.update_cluster(ClusterName=name, InstanceGroupsToDelete=["workers"])
    assert counts(in_service(records, name)) == {"head": (1, 1)}

    sagemaker.delete_cluster(ClusterName=name)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="Could not find cluster"):
        records.until(lambda: sagemaker.describe_cluster(ClusterName=name), "gone")


@pytest.mark.proves(
    "CreateClusterSchedulerConfig",
    "UpdateClusterSchedulerConfig",
    "DescribeClusterSchedulerConfig",
    "ListClusterSchedulerConfigs",
    "DeleteClusterSchedulerConfig",
)
def test_a_policy_of_a_cluster_has_versions(records, cluster):
    sagemaker = records.sagemaker
    made = sagemaker.create_cluster_scheduler_config(Name="policy", ClusterArn=cluster, SchedulerConfig=POLICY)
    policy = {"ClusterSchedulerConfigId": made["ClusterSchedulerConfigId"]}
    records.until(lambda: sagemaker.describe_cluster_scheduler_config(**policy), "Created")
    told = sagemaker.update_cluster_scheduler_config(**policy, TargetVersion=1, Description="second")
    assert told["ClusterSchedulerConfigVersion"] == 2
    records.until(lambda: sagemaker.describe_cluster_scheduler_config(**policy), "Updated")
    with pytest.raises(sagemaker.exceptions.ConflictException, match="TargetVersion is 1"):
        sagemaker.update_cluster_scheduler_config(**policy, TargetVersion=1, Description="third")
    first = sagemaker.describe_cluster_scheduler_config(**policy, ClusterSchedulerConfigVersion=1)
    assert "Description" not in first
    (listed,) = sagemaker.list_cluster_scheduler_configs(ClusterArn=cluster)["ClusterSchedulerConfigSummaries"]
    assert listed["ClusterSchedulerConfigVersion"] == 2
    sagemaker.delete_cluster_scheduler_config(**policy)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        records.until(lambda: sagemaker.describe_cluster_scheduler_config(**policy), "gone")


def test_what_cannot_be_done_is_refused_in_typed_errors(records, cluster):
    sagemaker = records.sagemaker
    name = sagemaker.describe_cluster(ClusterName=cluster)["ClusterName"]
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="Choose a different name"):
        sagemaker.create_cluster(ClusterName=name, InstanceGroups=[group("head", 1)])
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="Could not find cluster"):
        sagemaker.list_cluster_nodes(ClusterName="nobody")
    with pytest.raises(ClientError, match="no machine stands behind them") as refused:
        sagemaker.batch_reboot_cluster_nodes(ClusterName=name, NodeIds=["i-0123456789abcdef0"])
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_cluster_on_its_way_arrives_though_the_server_is_killed(own_server, monkeypatch):
    monkeypatch.setenv("SAGELET_SETTLE_SECONDS", "60")
    client = Client(own_server.start())
    client.sagemaker.create_cluster(ClusterName="c", InstanceGroups=[group("head", 2)])
    assert client.sagemaker.describe_cluster(ClusterName="c")["ClusterStatus"] == "Creating"
    own_server.kill()
    monkeypatch.setenv("SAGELET_SETTLE_SECONDS", "0.05")
    client = Client(own_server.start())
    assert counts(in_service(client, "c")) == {"head": (2, 2)}
