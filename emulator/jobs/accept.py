"""Checks of a job's places in S3, before the job is accepted, in the service's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.call import Call
from emulator.errors import NotBuilt, Validation
from emulator.jobs.inputs.channel import KINDS, Channel, Source, impossible, training_channels
from emulator.jobs.inputs.objects import empty
from emulator.ports import Storage
from emulator.storage import uri

ELSEWHERE = {
    "FileSystemDataSource": "there is no EFS and no FSx here. Copy the directory to S3 and use an S3DataSource.",
    "DatasetSource": "there are no hub datasets here. Copy the data to S3 and use an S3DataSource.",
}
"""Data sources that cannot be served, and what helps."""


def channels(storage: Storage, call: Call) -> None:
    """Every channel of CreateTrainingJob: its name is its own, it is of a form that can be served, it has objects."""
    given = call.params.get("InputDataConfig") or ()
    for channel in given:
        _refuse_unbuilt(channel)
    names = [channel["ChannelName"] for channel in given]
    for name in names:
        if names.count(name) > 1:
            raise Validation(f"Channel names must be unique within a training job: {name!r} is used more than once.")
    for found in training_channels(call.params):
        possible(found)
        _groups_exist(found, call.params)
        has_objects(storage, found.source, call.params["RoleArn"], call.scope.region)


def possible(channel: Channel) -> None:
    """`Validation` for a combination of mode, type and compression that no job can have."""
    fault = impossible(channel)
    if fault:
        raise Validation(fault)


def has_objects(storage: Storage, source: Source, role: str, region: str) -> None:
    """`Validation` when there is nothing at the source."""
    bucket = parsed(source.location)[0]
    if empty(storage, source):
        raise Validation(
            f'No S3 objects found under S3 URL "{source.location}" given in input data source. Please ensure that the '
            f"bucket exists in the selected region ({region}), that objects exist under that S3 prefix, and that the "
            f'role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )


def bucket(storage: Storage, location: str, member: str) -> None:
    """`Validation` when the bucket of a place to write to does not exist."""
    name = parsed(location)[0]
    try:
        next(iter(storage.list(name, "")), None)
    except FileNotFoundError:
        raise Validation(
            f'The bucket "{name}" of "{location}" given in {member} does not exist. Create it, or name another one.'
        ) from None


def parsed(location: str) -> tuple[str, str]:
    """(bucket, key) of a place; `Validation` for what is none."""
    try:
        return uri.parse(location)
    except ValueError as error:
        raise Validation(f"Invalid S3 location: {error}.") from error


def described(channel: Mapping[str, Any]) -> dict[str, Any]:
    """A channel as Describe answers it: how its objects are shared out is always said."""
    source = dict(channel["DataSource"])
    source["S3DataSource"] = {"S3DataDistributionType": "FullyReplicated", **source["S3DataSource"]}
    return {**channel, "DataSource": source}


def _refuse_unbuilt(channel: Mapping[str, Any]) -> None:
    name, source = channel["ChannelName"], channel["DataSource"]
    for other, remedy in ELSEWHERE.items():
        if source.get(other):
            raise NotBuilt(f"Channel {name} with {other} is not implemented: {remedy}")
    place = source.get("S3DataSource")
    if not place:
        raise Validation(f"Channel {name} has no data source. Give an S3DataSource.")
    if place["S3DataType"] not in KINDS:
        raise NotBuilt(
            f"Channel {name} with S3DataType {place['S3DataType']} is not implemented: "
            f"use {', '.join(list(KINDS)[:-1])} or {list(KINDS)[-1]}."
        )


def _groups_exist(channel: Channel, params: Mapping[str, Any]) -> None:
    config = params.get("ResourceConfig") or {}
    there = [group["InstanceGroupName"] for group in config.get("InstanceGroups") or ()]
    absent = [group for group in channel.groups if group not in there]
    if absent:
        raise Validation(
            f"Channel {channel.name} names the instance group {absent[0]!r} in InstanceGroupNames, which is not one of "
            f"ResourceConfig.InstanceGroups: {there or 'there are none'}."
        )
