"""The default quotas of an AWS account on how many records of a kind there may be in a region (`--quotas`).

Only those are here whose default is known; their sources: docs/quirks.md. Those of jobs: `emulator.jobs.quotas`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.errors import LimitExceeded

TOO_MUCH = (
    "The account-level service limit '{quota}' is {limit} {unit}, with current utilization of {used} {unit} and a "
    "request delta of {delta} {unit}. Please use AWS Service Quotas to request an increase for this quota. If AWS "
    "Service Quotas is not available, contact AWS support to request an increase for this quota."
)
"""The service's words for every quota."""


@dataclass(frozen=True)
class Quota:
    """How many records of a kind there may be. `name` is the quota's in Service Quotas, `unit` what it counts."""

    name: str
    limit: int
    unit: str

    def check(self, used: int) -> None:
        """`LimitExceeded` when one more record would be too many."""
        if used >= self.limit:
            words = {"quota": self.name, "limit": self.limit, "unit": self.unit, "used": used, "delta": 1}
            raise LimitExceeded(TOO_MUCH.format(**words))


QUOTAS: Mapping[str, Quota] = {
    "NotebookInstance": Quota("Total number of notebook instances", 8, "NotebookInstances"),
    "Domain": Quota("Total domains", 1, "Domains"),
    "Workteam": Quota("Number of workteams", 25, "Workteams"),
    "Pipeline": Quota("Maximum number of pipelines allowed per account", 500, "Pipelines"),
    "FeatureGroup": Quota("Maximum number of feature groups per AWS account", 100, "FeatureGroups"),
    "Artifact": Quota("Artifacts", 6000, "Artifacts"),
    "Context": Quota("Contexts", 500, "Contexts"),
}
"""By noun."""
