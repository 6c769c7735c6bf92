"""EventBridge is told of every change of a status: which event it is, and what its detail says. Delivery is the bus's.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from botocore.model import Shape

from emulator import spec
from emulator.behaviours.rooms import Rooms
from emulator.neighbours.bus import Event
from emulator.store.records import Record

Time = Callable[[float], Any]


def milliseconds(seconds: float) -> int:
    """A time as the events of jobs and endpoints have it."""
    return round(seconds * 1000)


def iso(seconds: float) -> str:
    """A time as the events of the registry have it."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_capitals(record: Record) -> dict[str, Any]:
    return {"EndpointStatus": _HUMP.sub("_", record.status).upper()}


def _of_card(record: Record) -> dict[str, Any]:
    overview = json.loads(record.body["Content"]).get("model_overview") or {}
    model = {"ModelId": overview["model_id"]} if overview.get("model_id") else {}
    return {**model, "AccountId": record.scope.account, "SecurityConfig": record.body.get("SecurityConfig", {})}


@dataclass(frozen=True)
class Told:
    """How an event tells of records of a kind."""

    name: str
    """The detail-type."""
    beside: str = "SecondaryStatus"
    """The member whose change is told as well as that of the status."""
    time: Time = milliseconds
    members: tuple[str, ...] = ()
    """Those of Describe that the detail has; all where none are named."""
    left_out: tuple[str, ...] = ()
    more: Callable[[Record], Mapping[str, Any]] = lambda record: {}
    """What the detail has otherwise."""


KINDS: Mapping[str, Told] = {
    "TrainingJob": Told("SageMaker Training Job State Change"),
    "ProcessingJob": Told("SageMaker Processing Job State Change"),
    "TransformJob": Told("SageMaker Transform Job State Change"),
    "Endpoint": Told("SageMaker Endpoint State Change", more=_in_capitals),
    "FeatureGroup": Told("SageMaker Feature Group State Change"),
    "ModelPackage": Told("SageMaker Model Package State Change", beside="ModelApprovalStatus", time=iso),
    "ModelCard": Told(
        "SageMaker Model Card State Change",
        beside="ModelCardVersion",
        time=iso,
        left_out=("Content", "ModelCardArn", "Tags"),
        more=_of_card,
    ),
    "Image": Told("SageMaker Image State Change", members=("ImageName", "ImageArn", "ImageStatus")),
    "ImageVersion": Told(
        "SageMaker Image Version State Change",
        members=("ImageArn", "ImageVersionArn", "ImageVersionStatus", "Version"),
    ),
}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def tell(rooms: Rooms, record: Record) -> None:
    """A record was written: if its status, or what is told beside it, has changed, the bus is told. Returns at once."""
    bus, told = rooms.neighbours.bus, KINDS[record.kind]
    if not bus.is_news(record.arn, (record.status, str(record.body.get(told.beside, "")))):
        return
    if bus.has_listeners():
        bus.tell(Event(record.scope, told.name, record.arn, detail(rooms, record), record.modified))


def detail(rooms: Rooms, record: Record) -> dict[str, Any]:
    """The body of Describe with its times as this kind of event has them, and the tags as a map."""
    shape, told = spec.load("sagemaker").operation_model(f"Describe{record.kind}").output_shape, KINDS[record.kind]
    body = {**timed(shape, record.body, told.time), **told.more(record), "Tags": rooms.resources.tags.of(record.arn)}
    known = (*told.members, "Tags") if told.members else tuple(body)
    return {name: body[name] for name in known if name in body and name not in told.left_out}


def timed(shape: Shape, value: Any, time: Time) -> Any:
    """A record's value with every member that the model calls a timestamp written as `time` does."""
    if value is None:
        return None
    if shape.type_name == "structure":
        return {name: timed(shape.members[name], item, time) for name, item in value.items() if name in shape.members}
    if shape.type_name == "list":
        return [timed(shape.member, item, time) for item in value]
    if shape.type_name == "timestamp":
        return time(value)
    return value
