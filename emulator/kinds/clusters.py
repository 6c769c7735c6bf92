"""HyperPod clusters and what is scheduled on them: all of it is work."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Taken

KINDS = (
    Kind(
        "Cluster",
        work=True,
        missing=Missing("ResourceNotFound", "Could not find cluster '{arn}'"),
        taken=Taken(
            "ResourceInUse",
            "Resource Already Exists: Cluster with name {name} already exists. Choose a different name.",
        ),
        listing=Listing(
            sort=("CreationTime", ASC),
            page_first=("CreationTimeAfter", "CreationTimeBefore", "NameContains", "TrainingPlanArn"),
            why="API_ListClusters: MaxResults is the number of clusters to evaluate, not of those that match",
        ),
    ),
    Kind("ClusterExtension", work=True, listing=Listing(page=100)),
    Kind("ClusterSchedulerConfig", work=True),
    Kind("ComputeQuota", work=True),
)
