"""What happened to clusters: scaling operations, and events. Written down with each change, told by four operations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours import cluster_groups as fleets
from emulator.behaviours.cluster_groups import KIND, Fleet, Moment, Node, moment
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotFound
from emulator.kinds.kind import DESC
from emulator.resources import parts
from emulator.resources.parts import Part
from emulator.store.records import Record


def recorded(before: Fleet, after: Fleet, now: float) -> Fleet:
    """A fleet that remembers how it was scaled, as an operation and events."""
    names = dict.fromkeys(group.name for group in (*before.groups, *after.groups))
    changes = [change for name in names if (change := _change(before, after, name))]
    if not changes:
        return after
    operation = str(uuid.uuid4())
    events = [_scaling_event(change, now, operation) for change in changes]
    known = {node.number: node.gone for node in before.nodes}
    for node in after.nodes:
        if node.number not in known or node.gone != known[node.number]:
            events.append(_node_event(node, now, operation))
    entry = {"id": operation, "made": now, "scaling": changes}
    return replace(after, operations=(*after.operations, entry), events=(*after.events, *events))


def _change(before: Fleet, after: Fleet, name: str) -> dict[str, Any]:
    old, new = before.group(name), after.group(name)
    if (old.target if old else 0) == (new.target if new else 0):
        return {}
    original = {**(old.counts() if old else {"TargetCount": 0}), "CurrentCount": len(before.alive(name))}
    return {
        "InstanceGroupName": name,
        "Original": original,
        "Desired": new.counts() if new else {"TargetCount": 0},
    }


def event(kind: str, text: str, now: float, **more: Any) -> dict[str, Any]:
    """Something that happened to a cluster, its group or its instance."""
    told = {"EventId": str(uuid.uuid4()), "ResourceType": kind, "EventTime": now, "Description": text}
    return {**told, "EventLevel": "Info", **more}


def _scaling_event(change: Mapping[str, Any], now: float, operation: str) -> dict[str, Any]:
    name, before, after = change["InstanceGroupName"], change["Original"], change["Desired"]
    text = f"Instance group {name} was scaled from {before['TargetCount']} to {after['TargetCount']} instances."
    return event("InstanceGroup", text, now, InstanceGroupName=name, OperationId=operation, scaling=dict(after))


def _node_event(node: Node, now: float, operation: str) -> dict[str, Any]:
    text = f"Instance {node.instance} was {'removed from' if node.gone else 'added to'} instance group {node.group}."
    more = {"InstanceGroupName": node.group, "InstanceId": node.instance, "OperationId": operation}
    return event("Instance", text, now, logical=node.logical, **more)


def list_cluster_events(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListClusterEvents.html."""
    params, record = call.params, _cluster(rooms, call)
    wanted = {"InstanceGroupName": "InstanceGroupName", "InstanceId": "NodeId"}
    wanted |= {"ResourceType": "ResourceType", "OperationId": "OperationId"}
    found = [
        Part(event["EventTime"], f"{number:08}", _event(record, event))
        for number, event in enumerate(_events(record))
        if all(params.get(member) in (None, event.get(name)) for name, member in wanted.items())
        and parts.between(event["EventTime"], params, "EventTimeAfter", "EventTimeBefore")
    ]
    return parts.page(call, found, "Events", DESC)


def describe_cluster_event(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeClusterEvent.html."""
    record, wanted = _cluster(rooms, call), call.params["EventId"]
    event = next((event for event in _events(record) if event["EventId"] == wanted), None)
    if event is None:
        raise NotFound(f"Could not find event '{wanted}' of cluster '{record.key}'.")
    told = _event(record, event)
    if "scaling" in event:
        told["EventDetails"] = {"EventMetadata": {"InstanceGroupScaling": event["scaling"]}}
    elif event.get("logical"):
        told["EventDetails"] = {"EventMetadata": {"Instance": {"NodeLogicalId": event["logical"]}}}
    return {"EventDetails": told}


def list_cluster_operations(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListClusterOperations.html."""
    params, record = call.params, _cluster(rooms, call)
    found = [
        Part(told["CreationTime"], f"{number:08}", told)
        for number, told in enumerate(_operations(record, moment(rooms)))
        if params.get("Status") in (None, told["Status"])
        and params.get("Type") in (None, told["Type"])
        and parts.between(told["CreationTime"], params, "CreationTimeAfter", "CreationTimeBefore")
    ]
    shown = [replace(part, shown={n: v for n, v in part.shown.items() if n != "ScalingDetails"}) for part in found]
    return parts.page(call, shown, "ClusterOperationSummaries", DESC)


def describe_cluster_operation(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeClusterOperation.html."""
    record, wanted = _cluster(rooms, call), call.params["OperationId"]
    for told in _operations(record, moment(rooms)):
        if told["OperationId"] == wanted:
            return told
    raise NotFound(f"Could not find operation '{wanted}' of cluster '{record.key}'.")


def _cluster(rooms: Rooms, call: Call) -> Record:
    return rooms.resources.get(KIND, call.scope, call.params["ClusterName"])


def _events(record: Record) -> list[Mapping[str, Any]]:
    """Clusters of the other provisioning mode have no events."""
    fleet = fleets.load(record.hidden)
    return list(fleet.events) if fleet.continuous else []


def _event(record: Record, event: Mapping[str, Any]) -> dict[str, Any]:
    own = {"ClusterArn": record.arn, "ClusterName": record.key}
    return {**own, **{name: value for name, value in event.items() if name not in ("scaling", "logical")}}


def _operations(record: Record, at: Moment) -> list[dict[str, Any]]:
    fleet = fleets.load(record.hidden)
    told = []
    for number, operation in enumerate(fleet.operations):
        later = fleet.operations[number + 1 :]
        details = [{**change, "Status": _progress(change, operation, later, at)} for change in operation["scaling"]]
        words = {detail["Status"] for detail in details}
        status = next(word for word in ("InProgress", "Done", "Superseded") if word in words)
        own = {"OperationId": operation["id"], "ClusterArn": record.arn, "Type": "Scaling", "Status": status}
        told.append({**own, "CreationTime": operation["made"], "ScalingDetails": details})
    return told


def _progress(
    change: Mapping[str, Any], operation: Mapping[str, Any], later: tuple[Mapping[str, Any], ...], at: Moment
) -> str:
    for other in later:
        again = any(new["InstanceGroupName"] == change["InstanceGroupName"] for new in other["scaling"])
        if again and other["made"] < operation["made"] + at.pace:
            return "Superseded"
    return "Done" if at.past(operation["made"]) else "InProgress"
