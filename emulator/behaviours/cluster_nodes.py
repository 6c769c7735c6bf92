"""Nodes of a cluster one by one: lists, descriptions, additions, removals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator import spec
from emulator.behaviours import cluster_groups as fleets
from emulator.behaviours.cluster_groups import KIND, Fleet, Moment, Node, moment
from emulator.behaviours.clusters import rescaled
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotFound, Validation
from emulator.kinds.derive import fit
from emulator.kinds.kind import ASC
from emulator.resources import making, parts, tokens
from emulator.resources.parts import Part
from emulator.store.records import Record

MOST_ADDED = 50
NODES_OF_A_PAGE = 100
TOKENS_KEPT = 20


def list_cluster_nodes(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListClusterNodes.html."""
    params, at = call.params, moment(rooms)
    record = _cluster(rooms, call)
    by_name = params.get("SortBy") == "NAME"
    found = [
        Part(node.group if by_name else node.made, f"{node.number:08}", _summary(record, node, at, params))
        for node in fleets.settled(fleets.load(record.hidden), at).nodes
        if (params.get("InstanceGroupNameContains") or "") in node.group
        and parts.between(node.made, params, "CreationTimeAfter", "CreationTimeBefore")
    ]
    return parts.page(call, found, "ClusterNodeSummaries", ASC, NODES_OF_A_PAGE)


def describe_cluster_node(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeClusterNode.html."""
    instance, logical = call.params.get("NodeId"), call.params.get("NodeLogicalId")
    record, at = _cluster(rooms, call), moment(rooms)
    if bool(instance) == bool(logical):
        raise Validation("DescribeClusterNode needs exactly one of NodeId and NodeLogicalId.")
    fleet = fleets.settled(fleets.load(record.hidden), at)
    node = next((node for node in fleet.nodes if (instance or logical) in (node.instance, node.logical)), None)
    if node is None:
        raise NotFound(f"Could not find node '{instance or logical}' in cluster '{record.key}'.")
    group = next((group for group in fleet.groups if group.name == node.group), None)
    shape = spec.load("sagemaker").operation_model("DescribeClusterNode").output_shape.members["NodeDetails"]
    own = {"NodeLogicalId": node.logical} if node.logical else {}
    told = {**(group.shown if group else {}), **_facts(record, node, at), **own}
    return {"NodeDetails": {name: value for name, value in fit(shape, told).items() if value not in ({}, [])}}


def batch_add_nodes(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BatchAddClusterNodes.html."""
    wanted, at = call.params["NodesToAdd"], moment(rooms)
    record = _cluster(rooms, call)
    if record.body.get("NodeProvisioningMode") != "Continuous":
        raise Validation("BatchAddClusterNodes is for clusters whose NodeProvisioningMode is Continuous.")
    if sum(item["IncrementTargetCountBy"] for item in wanted) > MOST_ADDED:
        raise Validation(f"At most {MOST_ADDED} nodes can be added at once.")
    fleet = fleets.load(record.hidden)
    failed = [failure for item in wanted if (failure := _failure(fleet, item))]
    groups = {item["InstanceGroupName"]: item for item in wanted if not _failure(fleet, item)}
    token, asked = call.params.get("ClientToken") or "", tokens.fingerprint(making.plain(wanted))
    before = fleet.asked.get(token)
    if before and before["asked"] == asked:
        return _added(fleet, before["nodes"], groups, at, failed)

    fresh: list[int] = []

    def grow(current: Fleet, now: float) -> Fleet:
        grown = current
        for item in wanted:
            group = grown.group(item["InstanceGroupName"])
            if group is not None and not _failure(current, item):
                grown = fleets.scaled(grown, group.name, group.target + item["IncrementTargetCountBy"], now)
        fresh[:] = [node.number for node in grown.nodes if node.number >= current.count]
        kept = dict(list(grown.asked.items())[1 - TOKENS_KEPT :]) if token else dict(grown.asked)
        return replace(grown, asked={**kept, token: {"asked": asked, "nodes": [*fresh]}} if token else kept)

    after = fleets.load(rescaled(rooms, call, grow).hidden)
    return _added(after, fresh, groups, at, failed)


def batch_delete_nodes(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BatchDeleteClusterNodes.html."""
    asked = {"NodeId": call.params.get("NodeIds") or [], "NodeLogicalId": call.params.get("NodeLogicalIds") or []}
    record, at = _cluster(rooms, call), moment(rooms)
    if not any(asked.values()):
        raise Validation("BatchDeleteClusterNodes needs NodeIds or NodeLogicalIds.")
    fleet = fleets.settled(fleets.load(record.hidden), at)
    going: dict[int, Node] = {}
    done: dict[str, list[str]] = {member: [] for member in asked}
    failed: dict[str, list[dict[str, str]]] = {member: [] for member in asked}
    for member, names in asked.items():
        for name in names:
            node = next((node for node in fleet.nodes if name in (node.instance, node.logical)), None)
            code, reason = _undeletable(fleet, node, at)
            if node is None or code:
                failed[member].append({"Code": code, "Message": f"Node {name}: {reason}", member: name})
            else:
                going[node.number] = node
                done[member].append(name)
    if going:
        rescaled(rooms, call, lambda current, now: _without(current, going, now))
    answer = {"Successful": done["NodeId"], "Failed": failed["NodeId"]}
    answer |= {"SuccessfulNodeLogicalIds": done["NodeLogicalId"], "FailedNodeLogicalIds": failed["NodeLogicalId"]}
    return {member: value for member, value in answer.items() if value}


# --- what is told -----------------------------------------------------------------------------------------------


def _cluster(rooms: Rooms, call: Call) -> Record:
    return rooms.resources.get(KIND, call.scope, call.params["ClusterName"])


def _facts(record: Record, node: Node, at: Moment) -> dict[str, Any]:
    status = "ShuttingDown" if record.status == "Deleting" else node.status(at)
    return {
        "InstanceGroupName": node.group,
        "InstanceId": node.instance,
        "InstanceType": node.kind,
        "LaunchTime": node.made,
        "InstanceStatus": {"Status": status},
    }


def _summary(record: Record, node: Node, at: Moment, params: Mapping[str, Any]) -> dict[str, Any]:
    logical = {"NodeLogicalId": node.logical} if params.get("IncludeNodeLogicalIds") and node.logical else {}
    return {**_facts(record, node, at), **logical}


# --- additions and removals -------------------------------------------------------------------------------------


def _failure(fleet: Fleet, item: Mapping[str, Any]) -> dict[str, Any]:
    """Why a group gets no nodes; {} where it does."""
    name = item["InstanceGroupName"]
    group = fleet.group(name)
    code, reason = "", ""
    if group is None and any(other.name == name for other in fleet.groups):
        code, reason = "InvalidInstanceGroupStatus", f"Instance group {name} is being deleted."
    elif group is None:
        code, reason = "InstanceGroupNotFound", f"The cluster has no instance group {name}."
    elif not set(item.get("InstanceTypes") or ()) <= set(group.kinds):
        code, reason = "IncompatibleInstanceTypes", f"Instance group {name} is of {', '.join(group.kinds)}."
    if not code:
        return {}
    echoed = {member: item[member] for member in ("AvailabilityZones", "InstanceTypes") if item.get(member)}
    count = item["IncrementTargetCountBy"]
    return {"InstanceGroupName": name, "ErrorCode": code, "FailedCount": count, "Message": reason, **echoed}


def _added(
    fleet: Fleet, numbers: list[int], asked: Mapping[str, Any], at: Moment, failed: list[dict[str, Any]]
) -> dict[str, Any]:
    found = []
    for node in fleet.nodes:
        if node.number in numbers:
            item = asked.get(node.group) or {}
            echoed = {member: item[member] for member in ("AvailabilityZones", "InstanceTypes") if item.get(member)}
            status = node.status(at) or "NotFound"
            found.append({"NodeLogicalId": node.logical, "InstanceGroupName": node.group, "Status": status, **echoed})
    return {"Successful": found, "Failed": failed}


def _undeletable(fleet: Fleet, node: Node | None, at: Moment) -> tuple[str, str]:
    if node is None:
        return "NodeIdNotFound", "the cluster has no such node."
    if node.gone:
        return "InvalidNodeStatus", f"its status is {node.status(at)}."
    group = fleet.group(node.group)
    if group is not None and (group.shown.get("SlurmConfig") or {}).get("NodeType") == "Controller":
        return "NodeIdInUse", "it is a Slurm controller, which cannot be removed."
    return "", ""


def _without(fleet: Fleet, going: Mapping[int, Node], now: float) -> Fleet:
    for name in dict.fromkeys(node.group for node in going.values()):
        group = fleet.group(name)
        leaving = [node for node in fleet.alive(name) if node.number in going]
        if group is not None and leaving:
            fleet = fleets.scaled(fleet, name, max(group.target - len(leaving), 0), now, leaving)
    return fleet
