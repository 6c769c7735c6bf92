"""The default quotas of an AWS account as far as jobs meet them (`--quotas`). Defaults and wording: docs/quirks.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.call import Call
from emulator.errors import LimitExceeded
from emulator.jobs import instances, scheduler
from emulator.jobs.recipes.recipe import Records
from emulator.resources.quotas import TOO_MUCH
from emulator.store.records import Record

UNDER_WAY = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Quotas:
    """The quotas of one kind of job; 0 is no quota. `word` is how the service calls such jobs."""

    word: str
    instances: int = 4
    """Of all such jobs that are under way."""
    of_type: int = 4
    """The same, of one instance type; of those with accelerators a new account has none."""
    per_job: int = 20
    seconds: int = 432_000
    gigabytes: int = 1024


TABLE = {
    "TrainingJob": Quotas("training"),
    "ProcessingJob": Quotas("processing"),
    "TransformJob": Quotas("transform", seconds=0, gigabytes=0),
}
SPOT = Quotas("spot training")


def check(noun: str, call: Call, records: Records) -> None:
    """`LimitExceeded` when the job of a Create call would exceed a quota, counting the jobs that are under way."""
    params = call.params
    quotas = _quotas(noun, params)
    wanted = _instances(params)
    _keep(f"Maximum number of instances per {quotas.word} job", quotas.per_job, wanted.total())
    _keep(f"Longest run time for a {quotas.word} job", quotas.seconds, _seconds(params), unit="Seconds")
    _keep(
        f"Size of EBS volume for a {quotas.word} job instance", quotas.gigabytes, _gigabytes(params), unit="Gigabytes"
    )
    used = _used(noun, quotas, (r for r in records.unsettled(noun, UNDER_WAY) if r.scope == call.scope))
    for name, count in wanted.items():
        limit = 0 if instances.find(name).gpus else quotas.of_type
        _keep(f"{name} for {quotas.word} job usage", limit, count, used[name], exact=True)
    _keep(f"Number of instances across all {quotas.word} jobs", quotas.instances, wanted.total(), used.total())


def _keep(quota: str, limit: int, delta: int, used: int = 0, **how: Any) -> None:
    if used + delta > limit and (limit or how.get("exact")):
        unit = how.get("unit", "Instances")
        raise LimitExceeded(TOO_MUCH.format(quota=quota, limit=limit, used=used, delta=delta, unit=unit))


def _quotas(noun: str, body: Mapping[str, Any]) -> Quotas:
    return SPOT if noun == "TrainingJob" and body.get("EnableManagedSpotTraining") else TABLE[noun]


def _used(noun: str, quotas: Quotas, under_way: Iterable[Record]) -> Counter[str]:
    used: Counter[str] = Counter()
    for record in under_way:
        if _quotas(noun, record.body) is quotas:
            used += _instances(record.body)
    return used


def _instances(body: Mapping[str, Any]) -> Counter[str]:
    """How many instances of which type: those of a transform job count, though one server does their work here."""
    transform = body.get("TransformResources")
    if transform:
        return Counter({transform["InstanceType"]: transform["InstanceCount"]})
    return Counter(scheduler.hosts(body))


def _seconds(body: Mapping[str, Any]) -> int:
    return int((body.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds") or 0)


def _gigabytes(body: Mapping[str, Any]) -> int:
    cluster = body.get("ResourceConfig") or (body.get("ProcessingResources") or {}).get("ClusterConfig") or {}
    return int(cluster.get("VolumeSizeInGB") or 0)
