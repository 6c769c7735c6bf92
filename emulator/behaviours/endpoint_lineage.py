"""The lineage of endpoints: a context, and an action for each deployment, with the models that it has deployed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from emulator.behaviours.following import Writing
from emulator.behaviours.lineage_writing import artifact_of, associate, entity_of, unused
from emulator.behaviours.rooms import Rooms
from emulator.call import Scope
from emulator.errors import CallerFault
from emulator.hosts.models import containers_of
from emulator.hosts.record import endpoint_of
from emulator.lineage import endpoints, registry
from emulator.lineage.entities import Thing
from emulator.store.records import Query, Record, Transaction

LIMIT = 1000
"""Deployments of an endpoint that are looked at, the newest first."""


def follow(rooms: Rooms, endpoint: Record, fresh: bool) -> Writing:
    """Bring the lineage of an endpoint up to it. A context that somebody has deleted stays deleted."""
    life = endpoint_of(endpoint)
    configs = {life.live: life.config, life.pending: life.pending_config or life.config}
    things = {number: dict.fromkeys(_things(rooms, endpoint.scope, configs[number])) for number in configs if number}

    def write(transaction: Transaction) -> None:
        entity = endpoints.endpoint(endpoint)
        context = transaction.get("Context", endpoint.scope, entity.name)
        if context is None and fresh:
            context = entity_of(rooms, transaction, endpoint.scope, entity, endpoint.created)
        if context is None:
            return
        actions = {action.hidden["generation"]: action for action in _deployments(transaction, endpoint)}
        for generation in sorted(things.keys() - actions.keys()):
            actions[generation] = _deploy(rooms, transaction, endpoint, generation, context)
            _use(rooms, transaction, actions[generation], things[generation])
        for generation, action in actions.items():
            status = endpoints.status(generation, life.live, life.pending, action.body["Status"])
            _told(transaction, action, status, endpoint.modified)

    return write


def _deployments(transaction: Transaction, endpoint: Record) -> list[Record]:
    query = Query("Action", endpoint.scope, LIMIT, parent=endpoint.arn, descending=True)
    return [action for action in transaction.page(query) if endpoints.is_of(action, endpoint)]


def _deploy(rooms: Rooms, transaction: Transaction, endpoint: Record, generation: int, context: Record) -> Record:
    at = endpoint.created if generation == 1 else endpoint.modified
    name = unused(transaction, endpoint.scope, lambda second: endpoints.deployment(endpoint, generation, second), at)
    action = entity_of(rooms, transaction, endpoint.scope, name, at)
    associate(transaction, action, context, at, "AssociatedWith")
    return action


def _use(rooms: Rooms, transaction: Transaction, action: Record, things: Iterable[Thing]) -> None:
    for thing in things:
        artifact = artifact_of(rooms, transaction, action.scope, thing, action.created)
        associate(transaction, artifact, action, action.created, "ContributedTo")


def _told(transaction: Transaction, action: Record, status: str, at: float) -> None:
    if action.body["Status"] != status:
        body = {**action.body, "Status": status, "LastModifiedTime": at}
        transaction.replace(replace(action, body=body, status=status, modified=at))


def _things(rooms: Rooms, scope: Scope, config: str) -> Iterator[Thing]:
    """Images, models and packages that a configuration deploys, as far as they are still there."""
    found = rooms.resources.find("EndpointConfig", scope, config)
    for variant in found.body["ProductionVariants"] if found is not None else ():
        model = rooms.resources.find("Model", scope, variant.get("ModelName") or "")
        if model is None:
            continue
        for container in containers_of(model):
            yield from (thing for thing in registry.container_things(container) if thing.uri)
        asked = model.body.get("Containers") or [model.body.get("PrimaryContainer") or {}]
        for name in (container.get("ModelPackageName") for container in asked):
            if name:
                yield Thing(_package_arn(rooms, scope, name), "Model")


def _package_arn(rooms: Rooms, scope: Scope, name: str) -> str:
    try:
        return rooms.resources.get("ModelPackage", scope, name).arn
    except CallerFault:  # deleted since, as it may be
        return name if name.startswith("arn:") else rooms.resources.arn("ModelPackage", scope, name)
