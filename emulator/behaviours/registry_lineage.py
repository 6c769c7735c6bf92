"""The lineage of model packages and their groups: contexts, artifacts, and an action for each approval."""

from __future__ import annotations

from dataclasses import replace

from emulator.behaviours.following import Writing
from emulator.behaviours.lineage_writing import artifact_of, associate, entity_of, unused
from emulator.behaviours.rooms import Rooms
from emulator.lineage import registry
from emulator.lineage.entities import artifact_key
from emulator.store.records import Record, Transaction


def follow_group(rooms: Rooms, group: Record, fresh: bool) -> Writing:
    """The context of a new group."""

    def write(transaction: Transaction) -> None:
        if fresh:
            entity_of(rooms, transaction, group.scope, registry.group(group), group.created)

    return write


def follow_package(rooms: Rooms, package: Record, fresh: bool) -> Writing:
    """The artifact of a package with what it is made of, and its approval. What somebody deleted stays deleted."""

    def write(transaction: Transaction) -> None:
        if fresh:
            _register(rooms, transaction, package)
        artifact = transaction.get("Artifact", package.scope, artifact_key(package.arn))
        if artifact is not None:
            _approve(rooms, transaction, package, artifact)

    return write


def _register(rooms: Rooms, transaction: Transaction, package: Record) -> None:
    scope, at = package.scope, package.created
    artifact = artifact_of(rooms, transaction, scope, registry.package(package), at)
    for thing in registry.contents(package):
        associate(transaction, artifact_of(rooms, transaction, scope, thing, at), artifact, at, "ContributedTo")
    group = transaction.get("ModelPackageGroup", scope, package.parent) if package.parent else None
    if group is not None:
        context = entity_of(rooms, transaction, scope, registry.group(group), at)
        associate(transaction, artifact, context, at, "AssociatedWith")


def _approve(rooms: Rooms, transaction: Transaction, package: Record, artifact: Record) -> None:
    """The artifact remembers the approval that was told last, and of which package: an ARN can be used again."""
    status, at = registry.approved(package), package.modified
    told = [status, package.created]
    if not status or artifact.hidden.get("approval") == told:
        return
    name = unused(transaction, package.scope, lambda second: registry.approval(package, second), at)
    action = entity_of(rooms, transaction, package.scope, name, at)
    associate(transaction, action, artifact, at, "ContributedTo")
    transaction.replace(replace(artifact, hidden={**artifact.hidden, "approval": told}))
