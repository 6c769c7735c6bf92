"""HyperPod clusters, what is scheduled on them and who may use them: reservations. No machine stands behind a node."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Move, Taken, Unready

NO_MACHINE = "the nodes of a cluster are a reservation here, and no machine stands behind them"
BUSY = Unready("ConflictException", "Unable to {verb} {kind} [{arn}] because its status is {status}.")

KINDS = (
    Kind(
        "Cluster",
        arn="cluster/{short}",
        missing=Missing("ResourceNotFound", "Could not find cluster '{arn}'"),
        taken=Taken(
            "ResourceInUse",
            "Resource Already Exists: Cluster with name {name} already exists. Choose a different name.",
            "as moto has it",
        ),
        unready=BUSY,
        moves={"Patch": Move("SystemUpdating", "InService")},
        defaults={"NodeRecovery": "Automatic"},
        listing=Listing(
            sort=("CreationTime", ASC),
            page_first=("NameContains", "TrainingPlanArn", "CreationTimeAfter", "CreationTimeBefore"),
            summary={"TrainingPlanArn": "listed.TrainingPlanArns", "TrainingPlanArns": "listed.TrainingPlanArns"},
            why="API_ListClusters: MaxResults is the number of clusters to evaluate, not that of matching items",
        ),
        refuses=dict.fromkeys(
            (
                "AttachClusterNodeNetworkInterface",
                "AttachClusterNodeVolume",
                "BatchRebootClusterNodes",
                "BatchReplaceClusterNodes",
                "DetachClusterNodeVolume",
                "MoveClusterNodes",
                "StartClusterHealthCheck",
            ),
            NO_MACHINE,
        ),
    ),
    Kind(
        "ClusterExtension",
        work=True,
        refers={"ClusterArn": "Cluster"},
        listing=Listing(page=100),
        empty={"ListClusterExtensionVersions": ""},
    ),
    Kind("ClusterSchedulerConfig", parent="ClusterArn", defaults={"ClusterSchedulerConfigVersion": 1}),
    Kind("ComputeQuota", parent="ClusterArn", defaults={"ComputeQuotaVersion": 1, "ActivationState": "Enabled"}),
)
