"""Who may use a cluster: scheduling policies and compute quotas, with their versions. Nothing is scheduled by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.references import must_exist
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Conflict
from emulator.resources import making
from emulator.resources.faults import fault
from emulator.store.records import Query, Record

SCHEDULER, QUOTA = "ClusterSchedulerConfig", "ComputeQuota"
CHUNK = 100


def create_scheduler_config(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateClusterSchedulerConfig.html."""
    return _create(rooms, SCHEDULER, call)


def describe_scheduler_config(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeClusterSchedulerConfig.html."""
    return _describe(rooms, SCHEDULER, call)


def update_scheduler_config(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateClusterSchedulerConfig.html."""
    return _update(rooms, SCHEDULER, call)


def create_compute_quota(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateComputeQuota.html."""
    return _create(rooms, QUOTA, call)


def describe_compute_quota(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeComputeQuota.html."""
    return _describe(rooms, QUOTA, call)


def update_compute_quota(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateComputeQuota.html."""
    return _update(rooms, QUOTA, call)


def _create(rooms: Rooms, kind: str, call: Call) -> Answer:
    """Names are unique within a cluster."""
    cluster = must_exist(rooms, "Cluster", call.scope, call.params["ClusterArn"])
    for other in rooms.resources.each(Query(kind, call.scope, CHUNK, parent=cluster.arn)):
        if other.body["Name"] == call.params["Name"]:
            facts = rooms.resources.facts(kind)
            raise fault(facts.taken, facts, other.key, other.arn)
    return rooms.resources.answer("Create", rooms.resources.create(kind, call))


def _describe(rooms: Rooms, kind: str, call: Call) -> Answer:
    """The newest version, or the one that is asked for."""
    record = rooms.resources.get(kind, call.scope, call.params[f"{kind}Id"])
    member = f"{kind}Version"
    wanted = call.params.get(member)
    if wanted in (None, record.body[member]):
        return record.body
    former: Mapping[str, Any] | None = record.hidden.get("versions", {}).get(str(wanted))
    if former is None:
        facts = rooms.resources.facts(kind)
        raise fault(facts.missing, facts, record.key, f"{record.arn} version {wanted}")
    return former


def _update(rooms: Rooms, kind: str, call: Call) -> Answer:
    """A new version, made from the one that the caller has seen."""
    facts, member = rooms.resources.facts(kind), f"{kind}Version"
    target = call.params["TargetVersion"]
    given = replace(call, params={name: value for name, value in call.params.items() if name != "TargetVersion"})

    def edit(current: Record) -> Record:
        version = current.body[member]
        if target != version:
            raise Conflict(f"TargetVersion is {target}, but the version of {kind} [{current.arn}] is {version}.")
        versions = {**current.hidden.get("versions", {}), str(version): dict(current.body)}
        edited = making.edited(facts, current, given)
        body = {**edited.body, member: version + 1}
        return replace(edited, body=body, hidden={**current.hidden, "versions": versions})

    record = rooms.resources.move(kind, call.scope, call.params[f"{kind}Id"], "Update", edit)
    return {**rooms.resources.answer("Update", record), member: record.body[member]}
