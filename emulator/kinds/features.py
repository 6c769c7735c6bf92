"""Feature groups and the facts about their features. No store stands behind them yet: the records are refused."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Missing, Taken

KINDS = (
    Kind(
        "FeatureGroup",
        missing=Missing(
            "ResourceNotFound",
            "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}",
        ),
        taken=Taken(
            "ResourceInUse",
            "Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name.\n"
            "Info: Feature Group '{name}' already exists.",
        ),
        defaults={
            "OnlineStoreConfig.EnableOnlineStore": False,
            "OfflineStoreConfig.DisableGlueTableCreation": False,
            "ThroughputConfig": {"ThroughputMode": "OnDemand"},
        },
        why="answers of DescribeFeatureGroup that users have published; Terraform's provider computes the throughput",
    ),
    Kind(
        "FeatureMetadata",
        arn="feature-group/{parent}/feature/{name}",
        refers={"FeatureGroupName": "FeatureGroup"},
        bound=True,
        missing=Missing(
            "ResourceNotFound",
            "Resource Not Found: Amazon SageMaker can't find a Feature with name {name} in the FeatureGroup {parent}",
        ),
        why="the service gives features no ARN, and nobody sees the one here; the wording is that of absent groups",
    ),
)
