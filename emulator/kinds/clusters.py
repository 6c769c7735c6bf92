"""HyperPod clusters and what is scheduled on them: all of it is work."""

from __future__ import annotations

from emulator.kinds.kind import Kind

KINDS = (
    Kind("Cluster", work=True),
    Kind("ClusterExtension", work=True),
    Kind("ClusterSchedulerConfig", work=True),
    Kind("ComputeQuota", work=True),
)
