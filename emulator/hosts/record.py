"""The endpoint's record: where its life is kept between steps, and what DescribeEndpoint tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from emulator.hosts import lifecycle as life
from emulator.hosts.plan import VariantPlan
from emulator.store.records import Record


def endpoint_of(record: Record) -> life.Endpoint:
    """The life as the record keeps it."""
    kept = record.hidden["life"]
    return life.Endpoint(
        life.Phase[kept["phase"]], kept["config"], kept["live"], kept["pending"], kept["pending_config"], kept["last"]
    )


def hidden_life(endpoint: life.Endpoint) -> dict[str, Any]:
    """The life as JSON."""
    return {
        "phase": endpoint.phase.name,
        "config": endpoint.config,
        "live": endpoint.live,
        "pending": endpoint.pending,
        "pending_config": endpoint.pending_config,
        "last": endpoint.last,
    }


def with_endpoint(record: Record, endpoint: life.Endpoint, effects: Sequence[life.Effect]) -> Record:
    """The record after a step: status, configuration name and reason are those of the life."""
    body = dict(record.body)
    status = endpoint.phase.status or record.status
    body["EndpointStatus"] = status
    body["EndpointConfigName"] = endpoint.config
    for effect in effects:
        if isinstance(effect, life.Explain):
            body.pop("FailureReason", None)
            if effect.reason:
                body["FailureReason"] = effect.reason
    if endpoint.phase not in (life.Phase.UPDATING,):
        body.pop("PendingDeploymentSummary", None)
    hidden = {**record.hidden, "life": hidden_life(endpoint)}
    return replace(record, body=body, status=status, hidden=hidden)


def described(record: Record, generation: int, plans: Sequence[VariantPlan], now: float) -> Record:
    """The record with the variants that answer now; a late report of a generation nobody wants is ignored."""
    endpoint = endpoint_of(record)
    if generation not in (endpoint.live, endpoint.pending):
        return record
    variants = [variant_summary(plan, plan, now) for plan in plans]
    return replace(record, body={**record.body, "ProductionVariants": variants})


def resting(record: Record) -> Record:
    """The record with its wishes taken back: what is desired is what there is."""
    variants = []
    for variant in record.body.get("ProductionVariants", ()):
        variants.append(
            {
                **variant,
                "DesiredWeight": variant["CurrentWeight"],
                "DesiredInstanceCount": variant["CurrentInstanceCount"],
            }
        )
    return replace(record, body={**record.body, "ProductionVariants": variants})


def variant_summary(current: VariantPlan | None, desired: VariantPlan, now: float) -> dict[str, Any]:
    """One entry of DescribeEndpoint.ProductionVariants (botocore shape `ProductionVariantSummary`)."""
    image = {"SpecifiedImage": desired.image, "ResolvedImage": desired.image, "ResolutionTime": now}
    summary: dict[str, Any] = {"VariantName": desired.name, "DesiredWeight": desired.weight}
    if desired.serverless:
        summary["DesiredServerlessConfig"] = dict(desired.serverless)
    else:
        summary["DesiredInstanceCount"] = desired.count
    if current is None:
        status = {"Status": "Creating", "StatusMessage": f"Launching {desired.count} instance(s).", "StartTime": now}
        return {**summary, "CurrentWeight": 0.0, "CurrentInstanceCount": 0, "VariantStatus": [status]}
    summary |= {"DeployedImages": [image], "CurrentWeight": current.weight}
    if current.serverless:
        return {**summary, "CurrentServerlessConfig": dict(current.serverless), "CurrentInstanceCount": current.count}
    return {**summary, "CurrentInstanceCount": current.count}
