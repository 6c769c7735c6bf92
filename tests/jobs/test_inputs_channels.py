"""Channels as values: what requests say of them, and who gets a share."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.jobs.cluster import Host
from emulator.jobs.inputs.channel import Channel, Source, impossible, processing_inputs, training_channels
from emulator.jobs.inputs.intake import Turn, turn_of


def body(mode: str = "File", **members: Any) -> dict[str, Any]:
    place = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in", **members.pop("place", {})}
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": place}, **members}
    return {"AlgorithmSpecification": {"TrainingInputMode": mode}, "InputDataConfig": [channel]}


def test_a_training_channel_says_little() -> None:
    assert training_channels(body("FastFile")) == [Channel("train", Source("s3://b/in"), "FastFile")]
    assert training_channels({}) == []


def test_a_training_channel_says_all() -> None:
    place = {
        "S3DataType": "AugmentedManifestFile",
        "AttributeNames": ["source-ref", "label"],
        "S3DataDistributionType": "ShardedByS3Key",
        "InstanceGroupNames": ["a", "b"],
    }
    members = {"CompressionType": "Gzip", "RecordWrapperType": "RecordIO", "ShuffleConfig": {"Seed": 7}}
    found = training_channels(body("File", InputMode="Pipe", place=place, **members))
    source = Source("s3://b/in", "augmented", ("source-ref", "label"))
    assert found == [Channel("train", source, "Pipe", True, True, True, 7, ("a", "b"))]


def test_processing_inputs_are_those_that_the_service_provides() -> None:
    place = {
        "S3Uri": "s3://b/in",
        "S3DataType": "ManifestFile",
        "S3InputMode": "Pipe",
        "S3CompressionType": "Gzip",
        "S3DataDistributionType": "ShardedByS3Key",
        "LocalPath": "/opt/ml/processing/in",
    }
    plain = {"S3Uri": "s3://b/code", "S3DataType": "S3Prefix"}
    inputs = [
        {"InputName": "data", "S3Input": place},
        {"InputName": "code", "AppManaged": False, "S3Input": plain},
        {"InputName": "theirs", "AppManaged": True, "S3Input": plain},
        {"InputName": "athena", "DatasetDefinition": {}},
    ]
    assert processing_inputs({"ProcessingInputs": inputs}) == [
        Channel("data", Source("s3://b/in", "manifest"), "Pipe", gzip=True, sharded=True),
        Channel("code", Source("s3://b/code")),
    ]
    assert processing_inputs({}) == []


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (Channel("c", Source("s3://b/k"), gzip=True), "compression type for channel c: File mode only supports NONE"),
        (Channel("c", Source("s3://b/k"), "FastFile", records=True), "record wrapper type for channel c: FastFile"),
        (Channel("c", Source("s3://b/k", "augmented", ("a",))), "if the Channel's input mode is Pipe"),
        (Channel("c", Source("s3://b/k", "augmented"), "Pipe"), "no AttributeNames"),
        (Channel("c", Source("s3://b/k", "augmented", ("a",)), "Pipe", gzip=True, records=True, seed=1), ""),
        (Channel("c", Source("s3://b/k", "manifest"), "FastFile", sharded=True, seed=1), ""),
    ],
)
def test_what_cannot_be_is_said(channel: Channel, words: str) -> None:
    assert words in impossible(channel) and bool(words) == bool(impossible(channel))


def test_hosts_take_turns_within_the_groups_of_a_channel() -> None:
    hosts = [Host("algo-1", "t", "a"), Host("algo-2", "t", "b"), Host("algo-3", "t", "b")]
    for_all, for_b = Channel("c", Source("s3://b/k")), Channel("c", Source("s3://b/k"), groups=("b",))
    assert [turn_of(for_all, host, hosts) for host in hosts] == [Turn(0, 3), Turn(1, 3), Turn(2, 3)]
    assert [turn_of(for_b, host, hosts) for host in hosts] == [None, Turn(0, 2), Turn(1, 2)]
