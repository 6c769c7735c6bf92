"""Search and GetSearchSuggestions, and what their results show of a record beside its own members."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.store.records import Record

ENDPOINT_STATUSES = ("Creating", "Updating", "InService", "Deleting", "Failed")
SHOWN_OF_ENDPOINT = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
SOURCES = ("TrainingJob", "ProcessingJob", "TransformJob")


def search(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html."""
    return rooms.search.answer(call)


def get_search_suggestions(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetSearchSuggestions.html."""
    return rooms.search.suggest(call)


def source_detail(rooms: Rooms, record: Record) -> dict[str, Any] | None:
    """The job that a trial component came from, as it is now (API_TrialComponentSourceDetail)."""
    arn = (record.body.get("Source") or {}).get("SourceArn")
    source = rooms.resources.by_arn(arn) if arn else None
    if source is None or source.kind not in SOURCES:
        return None
    return {"SourceArn": arn, source.kind: {**source.body, "Tags": _tags(rooms, source)}}


def endpoints_of_model(rooms: Rooms, record: Record) -> list[dict[str, Any]] | None:
    """The endpoints that a model is deployed at (API_ModelDashboardModel)."""
    found = [endpoint for endpoint, models in _deployments(rooms, record) if record.key in models]
    return [{name: one.body[name] for name in SHOWN_OF_ENDPOINT if name in one.body} for one in found] or None


def _deployments(rooms: Rooms, record: Record) -> Iterator[tuple[Record, set[str]]]:
    for endpoint in rooms.resources.unsettled("Endpoint", ENDPOINT_STATUSES):
        if endpoint.scope == record.scope:
            config = rooms.resources.find("EndpointConfig", record.scope, endpoint.body["EndpointConfigName"])
            variants = config.body.get("ProductionVariants", ()) if config is not None else ()
            yield endpoint, {variant.get("ModelName", "") for variant in variants}


def card_of_model(rooms: Rooms, record: Record) -> dict[str, Any] | None:
    """The card that was written about a model, the one that was changed last (API_ModelDashboardModelCard)."""
    expression = {"Filters": [{"Name": "ModelId", "Operator": "Equals", "Value": record.key}]}
    params = {"Resource": "ModelCard", "SearchExpression": expression, "MaxResults": 1}
    found = rooms.search.answer(Call("sagemaker", "Search", params, record.scope))["Results"]
    return {name: value for name, value in found[0]["ModelCard"].items() if name != "Content"} if found else None


def model_of_card(rooms: Rooms, record: Record) -> str | None:
    """ModelId: `model_id` in the overview of a card's content."""
    return _in_content(record, "model_overview", "model_id")


def risk_of_card(rooms: Rooms, record: Record) -> str | None:
    """RiskRating: `risk_rating` in the intended uses of a card's content."""
    return _in_content(record, "intended_uses", "risk_rating")


def group_of_card(rooms: Rooms, record: Record) -> str | None:
    """ModelPackageGroupName: the group of the package that a card was written about."""
    return _in_content(record, "model_package_details", "model_package_group_name")


def _in_content(record: Record, section: str, name: str) -> str | None:
    try:
        content = json.loads(record.body.get("Content") or "{}")
    except ValueError:
        return None
    part = content.get(section) if isinstance(content, dict) else None
    value = part.get(name) if isinstance(part, dict) else None
    return value if isinstance(value, str) else None


def _tags(rooms: Rooms, record: Record) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in rooms.resources.tags.of(record.arn).items()]
