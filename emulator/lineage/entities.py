"""Lineage entities, as their ARNs and records tell: which kind an entity is, of which type, under which name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.store.records import Record

KINDS = {
    "experiment-trial-component": "TrialComponent",
    "artifact": "Artifact",
    "context": "Context",
    "action": "Action",
}
"""What an ARN calls the kinds of a vertex (LineageType); experiments can be associated, but are no vertices."""

NAME = 120
"""Characters of a name (API_CreateContext)."""

JOB_TYPES = {
    "SageMakerTrainingJob": "TrainingJob",
    "SageMakerProcessingJob": "ProcessingJob",
    "SageMakerTransformJob": "TransformJob",
}
"""How a vertex calls what a trial component came from (LineageSourceEnum of the SDK)."""


@dataclass(frozen=True)
class Thing:
    """Something with a URI that takes part in what happens: an image, a data set, a model."""

    uri: str
    type: str


@dataclass(frozen=True)
class Entity:
    """A context or an action that the house makes of something of its own, whose ARN is `source`."""

    kind: str
    name: str
    type: str
    source: str
    status: str = ""
    hidden: Mapping[str, Any] = field(default_factory=dict)


def kind_of(arn: str) -> str:
    """The kind of the entity of an ARN, or "" where it is none that a query shows."""
    return KINDS.get(arn[arn.rfind(":", 0, arn.find("/")) + 1 : arn.find("/")], "")


def name_of(arn: str) -> str:
    """The name that an ARN ends in."""
    return arn.partition("/")[2]


def type_of(record: Record) -> str:
    """The type of an entity as an association shows it; "" for one that has none."""
    if record.kind == "TrialComponent":
        return str((record.body.get("Source") or {}).get("SourceType") or "")
    return str(record.body.get(f"{record.kind}Type") or "")


def vertex_type(kind: str, type_: str) -> str:
    """The type of an entity as a query shows it: trial components are called by their jobs."""
    return JOB_TYPES.get(type_, type_) if kind == "TrialComponent" else type_


def named(stem: str, *rest: object) -> str:
    """A name of an entity that the house makes: the stem is cut where the name would be too long."""
    end = "".join(f"-{part}" for part in rest)
    return stem[: NAME - len(end)].rstrip("-") + end


def artifact_key(uri: str) -> str:
    """32 hexadecimal digits, the same for the same source: there is one artifact for it, of the same id in all accounts
    (the SDK's LineageQuery knows artifacts of several accounts as one by their ids)."""
    return hashlib.md5(uri.encode(), usedforsecurity=False).hexdigest()


def properties(record: Record) -> Mapping[str, Any]:
    """What the filter Properties of a query looks at."""
    return record.body.get("Properties") or {}
