"""What an endpoint leaves in the lineage, by name and type: itself, and each deployment of a configuration to it."""

from __future__ import annotations

from emulator.lineage.entities import Entity, named
from emulator.store.records import Record

SUFFIX = "aws-endpoint"


def endpoint(record: Record) -> Entity:
    """The context of an endpoint."""
    return Entity("Context", named(record.key, int(record.created), SUFFIX), "Endpoint", record.arn)


def deployment(record: Record, generation: int, at: int) -> Entity:
    """The action of a deployment. Endpoints are told apart by when they were made: names are used again."""
    known = {"generation": generation, "endpoint": record.created}
    return Entity("Action", named(record.key, at, SUFFIX), "ModelDeployment", record.arn, "InProgress", known)


def is_of(action: Record, record: Record) -> bool:
    """Whether an action is a deployment to this endpoint."""
    return bool(action.hidden.get("endpoint") == record.created)


def status(generation: int, live: int, pending: int, before: str) -> str:
    """How a deployment goes: one that neither serves nor may come to serve has failed, unless it has served."""
    if generation == live:
        return "Completed"
    if generation == pending:
        return "InProgress"
    return "Failed" if before == "InProgress" else before
