"""Resource policies: kept with the record that they are for, and gone with it. They let no other account in."""

from __future__ import annotations

import json
from dataclasses import replace

from emulator import arns
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotFound, Validation
from emulator.store.records import Record

POLICY = "policy"
CLOSED = ("Deleting", "Failed")


def put_endpoint_policy(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_PutEndpointPolicy.html."""
    endpoint, policy = _endpoint(rooms, call), call.params["ResourcePolicy"]
    if endpoint.status in CLOSED:
        raise Validation(f'Cannot attach a policy to endpoint "{endpoint.arn}": its status is {endpoint.status}.')
    _check(policy)
    put(rooms, endpoint, policy)
    return {"EndpointArn": endpoint.arn}


def get_endpoint_policy(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetEndpointPolicy.html."""
    endpoint = _endpoint(rooms, call)
    return {"EndpointName": endpoint.key, "EndpointArn": endpoint.arn, "ResourcePolicy": _policy(endpoint)}


def delete_endpoint_policy(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpointPolicy.html."""
    endpoint = _endpoint(rooms, call)
    if POLICY in endpoint.hidden:
        put(rooms, endpoint, "")
    return {}


def put_group_policy(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_PutModelPackageGroupPolicy.html."""
    group = _group(rooms, call)
    _check(call.params["ResourcePolicy"])
    put(rooms, group, call.params["ResourcePolicy"])
    return {"ModelPackageGroupArn": group.arn}


def get_group_policy(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetModelPackageGroupPolicy.html."""
    return {"ResourcePolicy": _policy(_group(rooms, call))}


def delete_group_policy(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteModelPackageGroupPolicy.html."""
    group = _group(rooms, call)
    _policy(group)
    put(rooms, group, "")
    return {}


def put(rooms: Rooms, record: Record, policy: str) -> None:
    """Keep a policy with a record; "" takes the one that is there away."""

    def edit(now: Record) -> Record:
        rest = {name: value for name, value in now.hidden.items() if name != POLICY}
        return replace(now, hidden={**rest, POLICY: policy} if policy else rest)

    rooms.resources.change(record.kind, record.scope, record.key, edit)


def _endpoint(rooms: Rooms, call: Call) -> Record:
    """The model gives these operations ResourceNotFound, where older ones of endpoints have a ValidationException."""
    name = call.params["EndpointName"]
    try:
        return rooms.resources.get("Endpoint", call.scope, name)
    except Validation as absent:
        raise NotFound(absent.message) from None


def _group(rooms: Rooms, call: Call) -> Record:
    """These operations have words of their own for an absent group."""
    try:
        return rooms.resources.get("ModelPackageGroup", call.scope, call.params["ModelPackageGroupName"])
    except Validation:
        arn = arns.build(call.scope, f"model-package-group/{call.params['ModelPackageGroupName']}")
        raise Validation(f"Cannot find Model Package Group: {arn}") from None


def _policy(record: Record) -> str:
    policy = record.hidden.get(POLICY)
    if not policy:
        raise Validation(f"Cannot find resource policy for: {record.arn}")
    return str(policy)


def _check(policy: str) -> None:
    try:
        document = json.loads(policy)
    except ValueError:
        document = None
    if not policy.isascii() or not isinstance(document, dict) or not document.get("Statement"):
        raise Validation("ResourcePolicy must be a JSON policy document of ASCII characters with a Statement.")
