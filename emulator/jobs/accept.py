"""Checks of a job's places in S3, before the job is accepted, in the service's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.call import Call
from emulator.errors import NotBuilt, Validation
from emulator.jobs.channels import Source, empty, source_of
from emulator.jobs.workspace import input_mode
from emulator.ports import Storage
from emulator.storage import uri

NOT_A_FILE = (
    "is not implemented: use TrainingInputMode File or FastFile with an S3DataSource of type S3Prefix or ManifestFile."
)


def channels(storage: Storage, call: Call) -> None:
    """Every channel of CreateTrainingJob: its name is its own, it is of a form that can be served, it has objects."""
    seen: set[str] = set()
    for channel in call.params.get("InputDataConfig") or ():
        name = channel["ChannelName"]
        if name in seen:
            raise Validation(f"Channel names must be unique within a training job: {name!r} is used more than once.")
        seen.add(name)
        _refuse_unbuilt(channel, call.params)
        has_objects(storage, source_of(channel), call.params["RoleArn"], call.scope.region)


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


def _refuse_unbuilt(channel: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    name, source = channel["ChannelName"], channel["DataSource"]
    for other in ("FileSystemDataSource", "DatasetSource"):
        if source.get(other):
            raise NotBuilt(f"Channel {name} with {other} {NOT_A_FILE}")
    place = source.get("S3DataSource")
    if not place:
        raise Validation(f"Channel {name} has no data source. Give an S3DataSource.")
    if place["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise NotBuilt(f"Channel {name} with S3DataType {place['S3DataType']} {NOT_A_FILE}")
    if input_mode(channel, params) == "Pipe":
        raise NotBuilt(f"Channel {name} with TrainingInputMode Pipe {NOT_A_FILE}")
    if channel.get("ShuffleConfig"):
        raise NotBuilt(f"Channel {name} with ShuffleConfig {NOT_A_FILE}")
    if channel.get("RecordWrapperType") == "RecordIO":
        raise NotBuilt(f"Channel {name} with RecordWrapperType RecordIO {NOT_A_FILE}")
