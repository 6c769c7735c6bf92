"""A channel of a training job, or an input of a processing job, as one value. Pure: it knows requests, not objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.jobs.workspace import input_mode

KINDS = {"S3Prefix": "prefix", "ManifestFile": "manifest", "AugmentedManifestFile": "augmented"}
"""By S3DataType."""


@dataclass(frozen=True)
class Source:
    """A place in S3: all objects under a prefix, those that a manifest lists, or the lines of an augmented manifest,
    of which `attributes` are read in this order."""

    location: str
    kind: str = "prefix"
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Channel:
    """One input. `mode` is File, FastFile or Pipe; `groups` are the instance groups that receive it (none: all)."""

    name: str
    source: Source
    mode: str = "File"
    gzip: bool = False
    records: bool = False
    """Whether each object, or each attribute of a line, is wrapped in a RecordIO record."""
    sharded: bool = False
    """Whether hosts share the objects out among themselves (ShardedByS3Key)."""
    seed: int | None = None
    """Of ShuffleConfig: every epoch has an order of its own, the same on all hosts."""
    groups: tuple[str, ...] = ()


def source_of(channel: Mapping[str, Any]) -> Source:
    """The source of a channel of InputDataConfig or of a TransformInput."""
    place = channel["DataSource"]["S3DataSource"]
    return Source(place["S3Uri"], KINDS[place["S3DataType"]], tuple(place.get("AttributeNames") or ()))


def training_channels(body: Mapping[str, Any]) -> list[Channel]:
    """The channels of a training job, from its members of Describe."""
    return [_training(channel, body) for channel in body.get("InputDataConfig") or ()]


def processing_inputs(body: Mapping[str, Any]) -> list[Channel]:
    """The S3 inputs of a processing job that the service provides; what the application manages is left out."""
    found = [each for each in body.get("ProcessingInputs") or () if each.get("S3Input") and not each.get("AppManaged")]
    return [_processing(each["InputName"], each["S3Input"]) for each in found]


def impossible(channel: Channel) -> str:
    """Why no job can have such a channel; empty when one can. (The first wording is the service's, docs/quirks.md.)"""
    where = f"for channel {channel.name}: {channel.mode} mode"
    if channel.mode == "Pipe":
        if channel.source.kind == "augmented" and not channel.source.attributes:
            return (
                f"Channel {channel.name} has S3DataType AugmentedManifestFile and no AttributeNames. "
                "Name the attributes of a line that the algorithm is to read, in their order."
            )
        return ""
    if channel.gzip:
        return f"Invalid compression type {where} only supports NONE, got Gzip instead"
    if channel.records:
        return f"Invalid record wrapper type {where} only supports NONE, got RecordIO instead"
    if channel.source.kind == "augmented":
        return (
            f"Invalid S3 data type {where} does not support AugmentedManifestFile. "
            "AugmentedManifestFile can only be used if the Channel's input mode is Pipe"
        )
    return ""


def _training(channel: Mapping[str, Any], body: Mapping[str, Any]) -> Channel:
    place = channel["DataSource"]["S3DataSource"]
    return Channel(
        name=channel["ChannelName"],
        source=source_of(channel),
        mode=input_mode(channel, body),
        gzip=channel.get("CompressionType") == "Gzip",
        records=channel.get("RecordWrapperType") == "RecordIO",
        sharded=place.get("S3DataDistributionType") == "ShardedByS3Key",
        seed=(channel.get("ShuffleConfig") or {}).get("Seed"),
        groups=tuple(place.get("InstanceGroupNames") or ()),
    )


def _processing(name: str, place: Mapping[str, Any]) -> Channel:
    return Channel(
        name=name,
        source=Source(place["S3Uri"], KINDS[place["S3DataType"]]),
        mode=place.get("S3InputMode") or "File",
        gzip=place.get("S3CompressionType") == "Gzip",
        sharded=place.get("S3DataDistributionType") == "ShardedByS3Key",
    )
