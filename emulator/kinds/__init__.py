"""What a resource is, as data: one `Kind` per noun of the API, by family; and what the service model says of it.

Holds values and readers of the model. May not know records, requests or time: that is `resources`.
"""

from __future__ import annotations

from emulator.kinds import (
    clusters,
    edge,
    experiments,
    features,
    hosting,
    hubs,
    labeling,
    lineage,
    mlflow,
    monitoring,
    notebooks,
    pipelines,
    processing,
    projects,
    registry,
    studio,
    training,
    transform,
    tuning,
)
from emulator.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    *training.KINDS,
    *processing.KINDS,
    *transform.KINDS,
    *hosting.KINDS,
    *tuning.KINDS,
    *registry.KINDS,
    *experiments.KINDS,
    *lineage.KINDS,
    *mlflow.KINDS,
    *projects.KINDS,
    *pipelines.KINDS,
    *monitoring.KINDS,
    *labeling.KINDS,
    *studio.KINDS,
    *notebooks.KINDS,
    *features.KINDS,
    *hubs.KINDS,
    *edge.KINDS,
    *clusters.KINDS,
)
"""Every noun, in the order of the families."""

__all__ = ["KINDS", "Kind"]
