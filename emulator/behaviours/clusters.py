"""HyperPod clusters: what a request may ask of their instance groups, and how it changes the reservation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours import cluster_groups as fleets
from emulator.behaviours.cluster_events import event, recorded
from emulator.behaviours.cluster_groups import KIND, Fleet, moment
from emulator.behaviours.references import must_exist
from emulator.behaviours.rooms import Rooms
from emulator.behaviours.training_plans import status_at
from emulator.call import Answer, Call
from emulator.errors import NotBuilt, Validation
from emulator.resources import making, moving
from emulator.store.records import Record

MEMBERS = {"InstanceGroups": False, "RestrictedInstanceGroups": True}
"""The members that hold instance groups, each with whether those are restricted."""

FIXED = ("InstanceType", "OverrideVpcConfig")
"""What UpdateCluster cannot change in a group that is there."""


def create_cluster(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateCluster.html."""
    _check(rooms, call)
    now = moment(rooms).now
    fleet = Fleet(continuous=call.params.get("NodeProvisioningMode") == "Continuous")
    fleet = _with_groups(rooms, fleet, call.params, now)
    fleet = replace(fleet, events=(event("Cluster", "Cluster was created.", now),))
    own = {name: value for name, value in call.params.items() if name not in (*MEMBERS, "AutoScaling")}
    extra = {**_shown(rooms, call), **_body(fleet)}
    record = rooms.resources.create(KIND, replace(call, params=own), extra=extra, hidden=_hidden(fleet))
    return {"ClusterArn": record.arn}


def update_cluster(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateCluster.html."""
    rooms.resources.get(KIND, call.scope, call.params["ClusterName"])
    _check(rooms, call)
    gone = tuple(call.params.get("InstanceGroupsToDelete") or ())
    shown = _shown(rooms, call)

    def change(fleet: Fleet, now: float) -> Fleet:
        _check_update(rooms, fleet, call.params, gone)
        fleet = _with_groups(rooms, fleet, call.params, now)
        for name in gone:
            fleet = fleets.removed(fleet, name, now)
        mode = shown.get("NodeProvisioningMode")
        return replace(fleet, continuous=mode == "Continuous") if mode else fleet

    record = rescaled(rooms, call, change, shown)
    return {"ClusterArn": record.arn}


def update_cluster_software(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateClusterSoftware.html."""
    rooms.resources.get(KIND, call.scope, call.params["ClusterName"])
    wanted = {group["InstanceGroupName"]: dict(group) for group in call.params.get("InstanceGroups") or ()}
    image = call.params.get("ImageId")
    if not image and not any("ImageReleaseVersion" in group for group in wanted.values()):
        raise NotBuilt(
            "UpdateClusterSoftware to the latest image is not built: no machine stands behind a node here. "
            "Give an ImageId, or an ImageReleaseVersion for each group, to note down which one it should have."
        )
    shape = rooms.resources.facts(KIND).derived.answered["InstanceGroups"].member
    now = moment(rooms).now

    def edit(current: Record) -> Record:
        fleet = fleets.load(current.hidden)
        unknown = sorted(set(wanted) - {group.name for group in fleet.groups})
        if unknown:
            raise Validation(f"Cluster {current.key} has no instance group {', '.join(unknown)}.")
        for group in [group for group in fleet.groups if not wanted or group.name in wanted]:
            spec = {**wanted.get(group.name, {}), **({"ImageId": image} if image else {})}
            spec["ActiveSoftwareUpdateConfig"] = call.params.get("DeploymentConfig")
            shown = {**group.shown, **fleets.described(shape, spec)}
            fleet = fleets.put(fleet, replace(group, shown=shown, changed=now))
        return replace(current, body={**current.body, **_body(fleet)}, hidden={**current.hidden, **_hidden(fleet)})

    return {"ClusterArn": rooms.resources.move(KIND, call.scope, call.params["ClusterName"], "Patch", edit).arn}


def rescaled(
    rooms: Rooms, call: Call, change: Callable[[Fleet, float], Fleet], shown: Mapping[str, Any] | None = None
) -> Record:
    """The record after a change of its fleet. A cluster that provisions continuously stays in service meanwhile."""
    at = moment(rooms)
    facts = rooms.resources.facts(KIND)

    def edit(current: Record) -> Record:
        before = fleets.settled(fleets.load(current.hidden), at)
        after = recorded(before, change(before, at.now), at.now)
        body = {**current.body, **(shown or {}), **_body(after)}
        return replace(current, body=body, hidden={**current.hidden, **_hidden(after)})

    def checked(current: Record) -> Record:
        moving.check(facts, "Update", current)
        return edit(current)

    name = call.params["ClusterName"]
    current = rooms.resources.get(KIND, call.scope, name)
    if current.body.get("NodeProvisioningMode") == "Continuous":
        return rooms.resources.change(KIND, call.scope, name, checked)
    return rooms.resources.move(KIND, call.scope, name, "Update", edit)


def shown_groups(rooms: Rooms, record: Record) -> list[dict[str, Any]] | None:
    """The instance groups of a cluster as they are now."""
    return _groups(rooms, record, restricted=False)


def shown_restricted_groups(rooms: Rooms, record: Record) -> list[dict[str, Any]] | None:
    """The restricted instance groups of a cluster as they are now."""
    return _groups(rooms, record, restricted=True) or None


def _groups(rooms: Rooms, record: Record, *, restricted: bool) -> list[dict[str, Any]]:
    found = fleets.shown_groups(fleets.load(record.hidden), moment(rooms), record.status, restricted)
    for group in found:
        plan = group.get("TrainingPlanArn") and rooms.resources.by_arn(group["TrainingPlanArn"])
        if plan:
            group["TrainingPlanStatus"] = status_at(plan, rooms.clock.now())
    return found


def _body(fleet: Fleet) -> dict[str, Any]:
    """The groups as they are kept where searches look: without what moves by itself."""
    found: dict[str, list[dict[str, Any]]] = {member: [] for member in MEMBERS}
    for group in fleet.groups:
        member = next(name for name, restricted in MEMBERS.items() if restricted == group.restricted)
        found[member].append({**group.shown, "TargetCount": group.target})
    return {"InstanceGroups": found["InstanceGroups"], **{n: v for n, v in found.items() if v}}


def _hidden(fleet: Fleet) -> dict[str, Any]:
    plans = [group.shown.get("TrainingPlanArn") for group in fleet.groups]
    named = sorted({plan for plan in plans if plan})
    return {"fleet": fleets.save(fleet), "listed": {"TrainingPlanArns": named} if named else {}}


def _shown(rooms: Rooms, call: Call) -> dict[str, Any]:
    """The members of Describe that a request gives, but for the groups."""
    answered = rooms.resources.facts(KIND).derived.answered
    given = {
        name: fleets.described(answered[name], value)
        for name, value in call.params.items()
        if name in answered and name not in (*MEMBERS, "ClusterName", "AutoScaling")
    }
    return {name: value for name, value in making.plain(given).items() if value not in (None, {}, [])}


def _with_groups(rooms: Rooms, fleet: Fleet, params: Mapping[str, Any], now: float) -> Fleet:
    """A fleet with the groups of a request, made or changed, with as many nodes as they ask for."""
    answered = rooms.resources.facts(KIND).derived.answered
    for member, restricted in MEMBERS.items():
        for spec in params.get(member) or ():
            group = fleets.made(answered[member].member, spec, restricted, now)
            there = fleet.group(group.name)
            if there is not None:
                group = replace(group, made=there.made, target=there.target)
            fleet = fleets.put(fleet, group)
            fleet = fleets.scaled(fleet, group.name, int(spec["InstanceCount"]), now)
    return fleet


# --- checks -----------------------------------------------------------------------------------------------------


def _check(rooms: Rooms, call: Call) -> None:
    params = call.params
    specs = [spec for member in MEMBERS for spec in params.get(member) or ()]
    named = [spec["InstanceGroupName"] for spec in specs]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise Validation(f"Instance group names must be unique within a cluster: {', '.join(twice)}.")
    if (params.get("AutoScaling") or {}).get("Mode") == "Enable":
        raise NotBuilt(f"{call.operation} with AutoScaling is not built: nothing scales a cluster here. Leave it away.")
    orchestrator = params.get("Orchestrator")
    if orchestrator is not None and len(orchestrator) != 1:
        raise Validation("Orchestrator needs exactly one of Eks and Slurm.")
    for spec in specs:
        rooms.roles(spec["ExecutionRole"], call.scope)
        _check_group(spec)
        if spec.get("TrainingPlanArn"):
            _check_plan(must_exist(rooms, "TrainingPlan", call.scope, spec["TrainingPlanArn"]), spec)


def _check_group(spec: Mapping[str, Any]) -> None:
    name = spec["InstanceGroupName"]
    if bool(spec.get("InstanceType")) == bool(spec.get("InstanceRequirements")):
        raise Validation(f"Instance group {name} needs exactly one of InstanceType and InstanceRequirements.")
    if (spec.get("MinInstanceCount") or 0) > spec["InstanceCount"]:
        raise Validation(f"MinInstanceCount of instance group {name} is greater than its InstanceCount.")
    source = (spec.get("LifeCycleConfig") or {}).get("SourceS3Uri") or ""
    if source and not source.startswith("s3://sagemaker"):
        raise Validation(f"Validation Error: SourceS3Uri {source} does not start with 's3://sagemaker'.")


def _check_plan(plan: Record, spec: Mapping[str, Any]) -> None:
    if "hyperpod-cluster" not in plan.body["TargetResources"]:
        raise Validation(f"Training plan {plan.arn} is not for hyperpod-cluster. Search for an offering that is.")
    reserved = {summary["InstanceType"] for summary in plan.body["ReservedCapacitySummaries"]}
    if spec.get("InstanceType") not in reserved:
        raise Validation(f"Training plan {plan.arn} reserves {', '.join(sorted(reserved))} only.")


def _check_update(rooms: Rooms, fleet: Fleet, params: Mapping[str, Any], gone: tuple[str, ...]) -> None:
    unknown = sorted(name for name in gone if fleet.group(name) is None)
    if unknown:
        raise Validation(f"The cluster has no instance group {', '.join(unknown)} to delete.")
    answered = rooms.resources.facts(KIND).derived.answered
    for member, restricted in MEMBERS.items():
        for spec in params.get(member) or ():
            there = fleet.group(spec["InstanceGroupName"])
            if spec["InstanceGroupName"] in gone:
                raise Validation(f"Instance group {spec['InstanceGroupName']} cannot be updated and deleted at once.")
            new = fleets.made(answered[member].member, spec, restricted, 0.0)
            changed = [name for name in FIXED if there and there.shown.get(name) != new.shown.get(name)]
            if changed:
                raise Validation(f"Updating fields {', '.join(changed)} on an InstanceGroup not supported")
