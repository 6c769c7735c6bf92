"""Models, endpoint configurations and endpoints: what their operations check, and the work they hand to the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours import packages
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call, Scope
from emulator.errors import Validation
from emulator.hosts import lifecycle as life
from emulator.hosts import plan as plans
from emulator.hosts.models import CONTAINERS
from emulator.hosts.record import endpoint_of, hidden_life, variant_summary
from emulator.store.records import Record

MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html."""


def create_model(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html."""
    params = call.params
    if params.get("PrimaryContainer") and params.get("Containers"):
        raise Validation("Both PrimaryContainer and Containers are given. Give exactly one of them.")
    if not params.get("PrimaryContainer") and not params.get("Containers"):
        raise Validation("Neither PrimaryContainer nor Containers is given. Give exactly one of them.")
    if params.get("ExecutionRoleArn"):
        rooms.roles(params["ExecutionRoleArn"], call.scope)
    asked = params.get("Containers") or [params["PrimaryContainer"]]
    hidden = {}
    if any(container.get("ModelPackageName") for container in asked):
        hidden[CONTAINERS] = [part for container in asked for part in packages.unpacked(rooms, call.scope, container)]
    return {"ModelArn": rooms.resources.create("Model", call, hidden=hidden).arn}


def create_endpoint_config(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html."""
    variants = [*call.params["ProductionVariants"], *(call.params.get("ShadowProductionVariants") or ())]
    _check_unique(variants)
    for variant in variants:
        memory = (variant.get("ServerlessConfig") or {}).get("MemorySizeInMB", MEMORY_SIZES[0])
        if memory not in MEMORY_SIZES:
            found = f"1 validation error detected: Value '{memory}' at 'MemorySizeInMB' failed to satisfy constraint: "
            raise Validation(f"{found}Member must satisfy enum value set: [{', '.join(map(str, MEMORY_SIZES))}]")
    models = [("Model", variant["ModelName"]) for variant in variants if "ModelName" in variant]
    return {"EndpointConfigArn": rooms.resources.create("EndpointConfig", call, needs=models).arn}


def _check_unique(variants: Iterable[Mapping[str, Any]]) -> None:
    names = [variant["VariantName"] for variant in variants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Validation(f'The variant name "{twice[0]}" was non-unique within the request.')


def create_endpoint(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html."""
    name, config = call.params["EndpointName"], call.params["EndpointConfigName"]
    wanted = _plans(rooms, call.scope, config)
    now = rooms.clock.now()
    endpoint = life.Endpoint(life.Phase.CREATING, config)
    record = rooms.resources.create(
        "Endpoint",
        call,
        status=endpoint.phase.status,
        extra={"ProductionVariants": [variant_summary(None, plan, now) for plan in wanted]},
        hidden={"life": hidden_life(endpoint)},
    )
    rooms.hosts.post(call.scope, name, life.CreateAsked())
    return {"EndpointArn": record.arn}


def update_endpoint(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html."""
    name, config = call.params["EndpointName"], call.params["EndpointConfigName"]
    record = rooms.resources.get("Endpoint", call.scope, name)
    wanted = _plans(rooms, call.scope, config)
    kept = _retained(record, call.params)

    def edit(current: Record) -> Record:
        generation = str(endpoint_of(current).last + 1)
        hidden = {**current.hidden, "desired": {**(current.hidden.get("desired") or {}), generation: kept}}
        now = rooms.clock.now()
        pending = [variant_summary(None, plans.scaled(plan, kept), now) for plan in wanted]
        body = {
            **current.body,
            "PendingDeploymentSummary": {
                "EndpointConfigName": config,
                "StartTime": now,
                "ProductionVariants": pending,
            },
        }
        if call.params.get("DeploymentConfig"):
            body["LastDeploymentConfig"] = call.params["DeploymentConfig"]
        return replace(current, hidden=hidden, body=body)

    rooms.hosts.post(call.scope, name, life.UpdateAsked(config), edit)
    return {"EndpointArn": record.arn}


def update_weights(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpointWeightsAndCapacities.html."""
    name = call.params["EndpointName"]
    record = rooms.resources.get("Endpoint", call.scope, name)
    _check_unique(call.params["DesiredWeightsAndCapacities"])
    wishes = {wish["VariantName"]: wish for wish in call.params["DesiredWeightsAndCapacities"]}
    known = {variant["VariantName"] for variant in record.body["ProductionVariants"]}
    unknown = sorted(set(wishes) - known)
    if unknown:
        config = record.body["EndpointConfigName"]
        quoted = ",".join(unknown)
        raise Validation(f'The variant name(s) "{quoted}" is/are not present within endpoint configuration "{config}".')
    rooms.hosts.post(call.scope, name, life.ScaleAsked(), lambda current: _wished(current, wishes))
    return {"EndpointArn": record.arn}


def delete_endpoint(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpoint.html."""
    rooms.hosts.post(call.scope, call.params["EndpointName"], life.DeleteAsked())
    return {}


def _plans(rooms: Rooms, scope: Scope, config: str) -> tuple[plans.VariantPlan, ...]:
    """The variants that the configuration asks for; refuses absent models and what no server here can offer."""
    return plans.variants(rooms.resources, scope, config)


def _retained(record: Record, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Weights and counts that UpdateEndpoint keeps (RetainAllVariantProperties less the excluded ones)."""
    if not params.get("RetainAllVariantProperties"):
        return {}
    excluded = {item["VariantPropertyType"] for item in params.get("ExcludeRetainedVariantProperties") or ()}
    kept: dict[str, dict[str, Any]] = {}
    for variant in record.body["ProductionVariants"]:
        wish = {}
        if "DesiredWeight" not in excluded:
            wish["weight"] = variant["DesiredWeight"]
        if "DesiredInstanceCount" not in excluded and "DesiredInstanceCount" in variant:
            wish["count"] = variant["DesiredInstanceCount"]
        kept[variant["VariantName"]] = wish
    return kept


def _wished(record: Record, wishes: Mapping[str, Mapping[str, Any]]) -> Record:
    generation = str(endpoint_of(record).live)
    desired = {**(record.hidden.get("desired") or {})}
    wanted = {name: dict(wish) for name, wish in (desired.get(generation) or {}).items()}
    variants = []
    for variant in record.body["ProductionVariants"]:
        wish = wishes.get(variant["VariantName"], {})
        mine = wanted.setdefault(variant["VariantName"], {})
        if "DesiredWeight" in wish:
            mine["weight"] = wish["DesiredWeight"]
            variant = {**variant, "DesiredWeight": wish["DesiredWeight"]}
        if "DesiredInstanceCount" in wish:
            mine["count"] = wish["DesiredInstanceCount"]
            variant = {**variant, "DesiredInstanceCount": wish["DesiredInstanceCount"]}
        variants.append(variant)
    desired[generation] = wanted
    body = {**record.body, "ProductionVariants": variants}
    return replace(record, body=body, hidden={**record.hidden, "desired": desired})
