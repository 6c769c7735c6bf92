"""Training plans: capacity that is reserved from one time to another. Nothing is held back for them on this machine.

An offering is what its id says: it is computed from a search, and again from the id when a plan is made of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from emulator import arns, ids, spec
from emulator.behaviours import cluster_groups as fleets
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotFound, Validation
from emulator.kinds.derive import fit
from emulator.kinds.kind import DESC
from emulator.resources import parts
from emulator.resources.parts import Part
from emulator.store.records import Query, Record

KIND, CAPACITY = "TrainingPlan", "ReservedCapacity"
HOUR = 3600.0
DAY = 24
LONGEST = 182 * DAY
COUNTS = (1, 2, 4, 8, 16, 32, 64)
"""Durations and counts that are offered: "Search for training plan offerings" of the developer guide."""

CHUNK = 100
OFFERING = re.compile(r"tpo-(.+)-(\d+)-(\d+)h-(\d+)-(training-job|hyperpod-cluster|endpoint|studio-apps)")


@dataclass(frozen=True)
class Offering:
    """Instances for some hours. `start`: seconds since the epoch, or 0 for at once."""

    instance: str
    count: int
    hours: int
    start: int
    target: str

    @property
    def id(self) -> str:
        """The id, from which `offering` makes it again."""
        return f"tpo-{_dashed(self.instance)}-{self.count}-{self.hours}h-{self.start}-{self.target}"

    def span(self, now: float) -> tuple[float, float]:
        """When it begins and ends, for who takes it now."""
        start = float(self.start or now)
        return start, start + self.hours * HOUR

    def capacity(self, now: float) -> dict[str, Any]:
        """The one reserved capacity that it consists of."""
        start, end = self.span(now)
        span = {"DurationHours": self.hours, "DurationMinutes": 0, "StartTime": start, "EndTime": end}
        return {"ReservedCapacityType": "Instance", "InstanceType": self.instance, **span}


def _dashed(instance: str) -> str:
    return instance.removeprefix("ml.").replace(".", "-")


def _instances() -> tuple[str, ...]:
    shape = spec.load("sagemaker").operation_model("SearchTrainingPlanOfferings").input_shape
    return tuple(shape.members["InstanceType"].enum)


def offering(name: str) -> Offering | None:
    """The offering of an id, or None."""
    found = OFFERING.fullmatch(name)
    instance = next((one for one in _instances() if found and _dashed(one) == found.group(1)), "")
    if found is None or not instance:
        return None
    count, hours, start = (int(text) for text in found.groups()[1:4])
    made = Offering(instance, count, hours, start, found.group(5))
    return made if made in _offered(instance, count, hours, start, [made.target]) else None


def _offered(instance: str, count: int, hours: int, start: int, targets: list[str]) -> list[Offering]:
    hours = -(-hours // DAY) * DAY
    if count not in COUNTS or not 0 < hours <= LONGEST:
        return []
    return [Offering(instance, count, hours, start, target) for target in targets]


def search_offerings(rooms: Rooms, call: Call) -> Answer:
    """The offerings that fit a search; what may follow on a plan is `training_plan_extensions`."""
    params, now = call.params, now_of(rooms)
    if params.get("UltraServerType"):
        return {"TrainingPlanOfferings": []}
    if not params.get("InstanceType"):
        raise Validation("SearchTrainingPlanOfferings needs an InstanceType, an UltraServerType or a TrainingPlanArn.")
    start, end = _seconds(params.get("StartTimeAfter")), _seconds(params.get("EndTimeBefore"))
    asked = {"RequestedStartTimeAfter": start, "RequestedEndTimeBefore": end}
    asked = {name: value for name, value in asked.items() if value is not None}
    hours, count = int(params.get("DurationHours") or DAY), int(params.get("InstanceCount") or 1)
    targets = list(params.get("TargetResources") or ["training-job"])
    found = _offered(params["InstanceType"], count, hours, int(max(start, now) if start else 0), targets)
    fitting = [item for item in found if end is None or item.span(now)[1] <= end]
    return {"TrainingPlanOfferings": [{**asked, **_told(item, now)} for item in fitting]}


def _told(item: Offering, now: float) -> dict[str, Any]:
    capacity = {**item.capacity(now), "InstanceCount": item.count}
    span = {"DurationHours": item.hours, "DurationMinutes": 0}
    own = {"TrainingPlanOfferingId": item.id, "TargetResources": [item.target]}
    return {**own, **span, "ReservedCapacityOfferings": [capacity]}


def create_training_plan(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingPlan.html."""
    now, wanted = now_of(rooms), call.params["TrainingPlanOfferingId"]
    item = offering(wanted)
    if item is None or item.span(now)[1] <= now:
        raise NotFound(f"Could not find training plan offering '{wanted}'. Search for those that there are.")
    if call.params.get("SpareInstanceCountPerUltraServer"):
        raise Validation("SpareInstanceCountPerUltraServer is for plans of UltraServers; this one has none.")
    short = ids.short_id()
    capacity = {**item.capacity(now), "TotalInstanceCount": item.count}
    summary = {"ReservedCapacityArn": arns.build(call.scope, f"reserved-capacity/{short}"), **capacity}
    extra = {
        **{name: capacity[name] for name in ("DurationHours", "DurationMinutes", "StartTime", "EndTime")},
        **_counts(item.count, 0),
        "TotalInstanceCount": item.count,
        "UnhealthyInstanceCount": 0,
        "TargetResources": [item.target],
        "ReservedCapacitySummaries": [summary],
    }
    record = rooms.resources.create(KIND, call, extra=extra)
    own = Call(call.service, "CreateReservedCapacity", {}, call.scope)
    more = {"extra": {**capacity, **_counts(item.count, 0)}, "hidden": {"plan": record.arn}}
    rooms.resources.create(CAPACITY, own, key=short, **more)
    return {"TrainingPlanArn": record.arn}


def list_training_plans(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingPlans.html."""
    params = call.params
    element = spec.load("sagemaker").operation_model("ListTrainingPlans").output_shape.members["TrainingPlanSummaries"]
    sort = params.get("SortBy") or "StartTime"
    wanted = [item["Value"] for item in params.get("Filters") or ()]
    found = []
    for record in rooms.resources.each(Query(KIND, call.scope, CHUNK)):
        told = {**record.body, **_computed(rooms, record)}
        if all(told["Status"] == word for word in wanted) and parts.between(
            told["StartTime"], params, "StartTimeAfter", "StartTimeBefore"
        ):
            found.append(Part(told[sort], record.key, fit(element.member, told)))
    return parts.page(call, found, "TrainingPlanSummaries", DESC)


# --- by the clock -----------------------------------------------------------------------------------------------


def status_at(record: Record, now: float) -> str:
    """The status of a plan or a capacity at a time."""
    if record.status != "Scheduled":
        return record.status
    return by_time(record.body["StartTime"], record.body["EndTime"], now)


def by_time(start: float, end: float, now: float) -> str:
    """The status of what lasts from one time to another."""
    if now >= end:
        return "Expired"
    return "Active" if now >= start else "Scheduled"


def status(rooms: Rooms, record: Record) -> str | None:
    """The status now."""
    return status_at(record, rooms.clock.now()) if "EndTime" in record.body else None


def available(rooms: Rooms, record: Record) -> int | None:
    """How many instances of a plan or a capacity no cluster has been promised."""
    total = record.body.get("TotalInstanceCount")
    return None if total is None else max(total - _used(rooms, record), 0)


def in_use(rooms: Rooms, record: Record) -> int | None:
    """How many instances of a plan or a capacity clusters have been promised."""
    return _used(rooms, record) if "TotalInstanceCount" in record.body else None


def capacities(rooms: Rooms, record: Record) -> list[dict[str, Any]] | None:
    """The reserved capacities of a plan, with their status now."""
    found = record.body.get("ReservedCapacitySummaries")
    now = status_at(record, rooms.clock.now()) if found else ""
    return [{**summary, "Status": now} for summary in found] if found else None


def _computed(rooms: Rooms, record: Record) -> dict[str, Any]:
    told = {"Status": status(rooms, record), "ReservedCapacitySummaries": capacities(rooms, record)}
    return {**told, **_counts(record.body["TotalInstanceCount"], _used(rooms, record))}


def _counts(total: int, used: int) -> dict[str, int]:
    return {"AvailableInstanceCount": max(total - used, 0), "InUseInstanceCount": used}


def _used(rooms: Rooms, record: Record) -> int:
    plan = record.hidden.get("plan", record.arn)
    groups = [
        group
        for cluster in rooms.resources.each(Query("Cluster", record.scope, CHUNK))
        if plan in (cluster.hidden.get("listed") or {}).get("TrainingPlanArns", ())
        for group in fleets.load(cluster.hidden).groups
    ]
    return sum(group.target for group in groups if group.shown.get("TrainingPlanArn") == plan)


def now_of(rooms: Rooms) -> float:
    """The time, to the millisecond, as records keep it."""
    return round(rooms.clock.now(), 3)


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value.timestamp() if hasattr(value, "timestamp") else value)
