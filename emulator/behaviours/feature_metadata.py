"""What is known of each feature of a group: a record of its own, so that Search finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.feature_checks import MOST
from emulator.behaviours.feature_groups import GROUP
from emulator.behaviours.following import Writing
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation
from emulator.store.records import Query, Record, Transaction

FEATURE = "FeatureMetadata"
PARAMETERS = 25
"""Parameters of a feature."""


def describe_feature_metadata(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeFeatureMetadata.html."""
    return rooms.resources.get(FEATURE, call.scope, _key(rooms, call)).body


def update_feature_metadata(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateFeatureMetadata.html."""
    params = call.params

    def edit(current: Record) -> Record:
        body = dict(current.body)
        if params.get("Description") is not None:
            body["Description"] = params["Description"]
        told = {one["Key"]: one["Value"] for one in body.get("Parameters", ())}
        told |= {one["Key"]: one["Value"] for one in params.get("ParameterAdditions") or ()}
        removed = params.get("ParameterRemovals") or ()
        left = [{"Key": key, "Value": value} for key, value in told.items() if key not in removed]
        if len(left) > PARAMETERS:
            raise Validation(f"Validation Error: a feature has at most {PARAMETERS} parameters.")
        body = {name: value for name, value in body.items() if name != "Parameters"}
        return replace(current, body=body | ({"Parameters": left} if left else {}))

    rooms.resources.change(FEATURE, call.scope, _key(rooms, call), edit)
    return {}


def track(rooms: Rooms, group: Record, fresh: bool) -> Writing:
    """Every feature of a group has its record."""

    def write(transaction: Transaction) -> None:
        there = transaction.get(GROUP, group.scope, group.key)
        if there is None:
            return
        known = {one.key for one in transaction.page(Query(FEATURE, there.scope, MOST, parent=there.key))}
        definitions = {one["FeatureName"]: one for one in there.body.get("FeatureDefinitions", ())}
        for name, definition in definitions.items():
            if f"{there.key}/{name}" not in known:
                transaction.insert(_draft(rooms, there, definition))

    return write


def _draft(rooms: Rooms, group: Record, definition: Mapping[str, Any]) -> Record:
    name = definition["FeatureName"]
    call = Call("sagemaker", "CreateFeatureGroup", {"FeatureGroupName": group.key, "FeatureName": name}, group.scope)
    extra = {"FeatureGroupArn": group.arn, "FeatureType": definition["FeatureType"]}
    return rooms.resources.draft(FEATURE, call, group.hidden.get("added", {}).get(name, group.created), extra=extra)


def _key(rooms: Rooms, call: Call) -> str:
    group = rooms.resources.get(GROUP, call.scope, call.params["FeatureGroupName"])
    return f"{group.key}/{call.params['FeatureName']}"
