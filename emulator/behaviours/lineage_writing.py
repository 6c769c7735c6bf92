"""Entities of lineage and associations that the house writes itself, in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.behaviours.lineage_groups import ensure_group, group_arn
from emulator.behaviours.rooms import Rooms
from emulator.call import Call, Scope
from emulator.kinds.relations import ASSOCIATION
from emulator.lineage.entities import Entity, Thing, artifact_key, type_of
from emulator.store.links import Link
from emulator.store.records import Record, Transaction


def entity_of(rooms: Rooms, transaction: Transaction, scope: Scope, entity: Entity, at: float) -> Record:
    """A context or an action: the one that is there under its name, or a new one."""
    there = transaction.get(entity.kind, scope, entity.name)
    if there is not None:
        return there
    ensure_group(rooms, transaction, scope, at)
    params: dict[str, Any] = {
        f"{entity.kind}Name": entity.name,
        f"{entity.kind}Type": entity.type,
        "Source": {"SourceUri": entity.source, "SourceType": "ARN"},
        **({"Status": entity.status} if entity.status else {}),
    }
    call = Call("sagemaker", f"Create{entity.kind}", params, scope)
    given = {"extra": {"LineageGroupArn": group_arn(scope)}, "hidden": dict(entity.hidden)}
    return transaction.insert(rooms.resources.draft(entity.kind, call, at, parent=entity.source, **given))


def artifact_of(rooms: Rooms, transaction: Transaction, scope: Scope, thing: Thing, at: float) -> Record:
    """The artifact of a thing: the one that is there for its URI, whatever its type, or a new one."""
    key = artifact_key(thing.uri)
    there = transaction.get("Artifact", scope, key)
    if there is not None:
        return there
    ensure_group(rooms, transaction, scope, at)
    params: Mapping[str, Any] = {"Source": {"SourceUri": thing.uri}, "ArtifactType": thing.type}
    call = Call("sagemaker", "CreateArtifact", params, scope)
    given = {"LineageGroupArn": group_arn(scope)}
    return transaction.insert(rooms.resources.draft("Artifact", call, at, key=key, parent=thing.uri, extra=given))


def associate(transaction: Transaction, source: Record, destination: Record, at: float, how: str) -> None:
    """An association, unless there is one."""
    if transaction.get_link(ASSOCIATION, source.arn, destination.arn) is None:
        transaction.link(association(source, destination, at, how))


def association(source: Record, destination: Record, at: float, how: str | None) -> Link:
    """The link of an association: the types of its ends, which never change, are kept with it."""
    facts = {"SourceType": type_of(source), "DestinationType": type_of(destination), "AssociationType": how or ""}
    known = {name: value for name, value in facts.items() if value}
    return Link(source.scope, ASSOCIATION, source.arn, destination.arn, at, known)


def unused(transaction: Transaction, scope: Scope, entity: Callable[[int], Entity], at: float) -> Entity:
    """An entity with the second in its name; a later second where the name is taken."""
    second = int(at)
    while transaction.get(entity(second).kind, scope, entity(second).name) is not None:
        second += 1
    return entity(second)
