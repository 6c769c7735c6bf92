"""What a model package and its group leave in the lineage, by name and type.

https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-auto-creation.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.lineage.entities import Entity, Thing, named
from emulator.store.records import Record


def group(record: Record) -> Entity:
    """The context of a group."""
    return Entity("Context", named(record.key, int(record.created), "aws-model-group"), "ModelGroup", record.arn)


def package(record: Record) -> Thing:
    """The artifact of a package."""
    return Thing(record.arn, "Model")


def approval(record: Record, at: int) -> Entity:
    """The action that gave a version the approval that it has: one more whenever that changes."""
    name = named(record.parent, record.key.rpartition("/")[2], approved(record), at, "aws-model-package")
    return Entity("Action", name, "Approval", record.arn, "Completed")


def approved(record: Record) -> str:
    """The approval of a version; "" for a package without a group."""
    return str(record.body.get("ModelApprovalStatus") or "") if record.parent else ""


def contents(record: Record) -> tuple[Thing, ...]:
    """What a package is made of: images, models, algorithms."""
    specification = record.body.get("InferenceSpecification") or {}
    algorithms = (record.body.get("SourceAlgorithmSpecification") or {}).get("SourceAlgorithms") or ()
    found = [thing for container in specification.get("Containers") or () for thing in container_things(container)]
    for algorithm in algorithms:
        found += [Thing(algorithm["AlgorithmName"], "Algorithm"), Thing(model_data(algorithm), "Model")]
    return tuple(dict.fromkeys(thing for thing in found if thing.uri))


def container_things(container: Mapping[str, Any]) -> Iterator[Thing]:
    """The image and the model of a container."""
    yield Thing(container.get("Image") or "", "Image")
    yield Thing(model_data(container), "Model")


def model_data(described: Mapping[str, Any]) -> str:
    """Where a container's model is, however it is given."""
    source = (described.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return str(described.get("ModelDataUrl") or source.get("S3Uri") or "")
