"""What an endpoint configuration asks for, read from its record and those of its models: values for the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from emulator.call import Scope
from emulator.errors import NotBuilt
from emulator.hosts.models import containers_of
from emulator.store.records import Record


class Records(Protocol):
    """What this room needs of `emulator.resources.Resources` to read a configuration."""

    def get(self, kind: str, scope: Scope, key: str) -> Record:
        """The record, or the kind's own error for an absent one."""
        ...


@dataclass(frozen=True)
class VariantPlan:
    """One production variant: what it serves, on how many servers, with which share of the traffic."""

    name: str
    model: str
    image: str
    model_data: str = ""
    uncompressed: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    network: bool = True
    role: str = ""
    weight: float = 1.0
    count: int = 1
    start_timeout: float | None = None
    serverless: tuple[tuple[str, int], ...] = ()


Desired = Mapping[str, Mapping[str, Any]]
"""Weights and counts by variant name that override the configuration: {"v": {"weight": 2.0, "count": 1}}."""


def variants(records: Records, scope: Scope, config: str, desired: Desired | None = None) -> tuple[VariantPlan, ...]:
    """The variants of an endpoint configuration. `NotBuilt` names the first feature that no server here can offer."""
    body = records.get("EndpointConfig", scope, config).body
    for member, reason in UNSERVED.items():
        if _asks_for(body.get(member)):
            raise NotBuilt(f"Endpoint configuration {config} uses {member}, which Sagelet does not serve yet: {reason}")
    plans = [_variant(records, scope, item) for item in body["ProductionVariants"]]
    return tuple(scaled(plan, desired or {}) for plan in plans)


UNSERVED = {
    "AsyncInferenceConfig": "remove it and call InvokeEndpoint.",
    "ShadowProductionVariants": "remove the shadow variants.",
    "ExplainerConfig": "remove it.",
    "DataCaptureConfig": "remove it or set EnableCapture to false.",
}
"""Parts of an endpoint configuration that need work which is not done yet."""


def _asks_for(value: Any) -> bool:
    if isinstance(value, dict) and "EnableCapture" in value:
        return bool(value["EnableCapture"])
    return bool(value)


def scaled(plan: VariantPlan, desired: Desired) -> VariantPlan:
    """The plan with the weight and count that were asked for since."""
    wish = desired.get(plan.name, {})
    return replace(plan, weight=float(wish.get("weight", plan.weight)), count=int(wish.get("count", plan.count)))


def _variant(records: Records, scope: Scope, item: Mapping[str, Any]) -> VariantPlan:
    if "ModelName" not in item:
        raise NotBuilt(
            f"Variant {item['VariantName']} names no model: inference components are not served yet; give a ModelName."
        )
    record = records.get("Model", scope, item["ModelName"])
    model, container = record.body, _container(record)
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    environment = {str(k): str(v) for k, v in (container.get("Environment") or {}).items()}
    serverless = item.get("ServerlessConfig") or {}
    return VariantPlan(
        name=item["VariantName"],
        model=item["ModelName"],
        image=container.get("Image", ""),
        model_data=container.get("ModelDataUrl") or source.get("S3Uri", ""),
        uncompressed=source.get("CompressionType") == "None",
        environment=tuple(sorted(environment.items())),
        network=not model.get("EnableNetworkIsolation", False),
        role=str(model.get("ExecutionRoleArn") or ""),
        weight=float(item.get("InitialVariantWeight", 1.0)),
        count=int(item.get("InitialInstanceCount", 1)),
        start_timeout=item.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        serverless=tuple(serverless.items()),
    )


def _container(model: Record) -> Mapping[str, Any]:
    containers, name = containers_of(model), model.body["ModelName"]
    if len(containers) > 1:
        raise NotBuilt(f"Model {name} has {len(containers)} containers; inference pipelines are not served yet.")
    if not containers or not containers[0].get("Image"):
        raise NotBuilt(f"Model {name} names no image, so there is nothing to serve it with: give an Image.")
    if containers[0].get("Mode") == "MultiModel":
        raise NotBuilt(f"Model {name} is a multi-model container, which is not served yet; use Mode SingleModel.")
    return containers[0]
