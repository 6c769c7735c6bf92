"""EventBridge is told of every change of a status: which event it is, and what its detail says. Delivery is the bus's.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from __future__ import annotations

import re
from typing import Any

from botocore.model import Shape

from emulator import spec
from emulator.behaviours.rooms import Rooms
from emulator.neighbours.bus import Event
from emulator.store.records import Record

KINDS = {
    "TrainingJob": "SageMaker Training Job State Change",
    "ProcessingJob": "SageMaker Processing Job State Change",
    "TransformJob": "SageMaker Transform Job State Change",
    "Endpoint": "SageMaker Endpoint State Change",
    "FeatureGroup": "SageMaker Feature Group State Change",
}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def tell(rooms: Rooms, record: Record) -> None:
    """A record was written: if its status, primary or secondary, is another one, the bus is told. Returns at once."""
    bus = rooms.neighbours.bus
    if not bus.is_news(record.arn, (record.status, str(record.body.get("SecondaryStatus", "")))):
        return
    if bus.has_listeners():
        bus.tell(Event(record.scope, KINDS[record.kind], record.arn, detail(rooms, record), record.modified))


def detail(rooms: Rooms, record: Record) -> dict[str, Any]:
    """The body of Describe with its times in milliseconds, and the tags as a map."""
    shape = spec.load("sagemaker").operation_model(f"Describe{record.kind}").output_shape
    told: dict[str, Any] = in_milliseconds(shape, record.body)
    if record.kind == "Endpoint":
        told["EndpointStatus"] = _HUMP.sub("_", record.status).upper()
    return {**told, "Tags": rooms.resources.tags.of(record.arn)}


def in_milliseconds(shape: Shape, value: Any) -> Any:
    """A record's value with every member that the model calls a timestamp in milliseconds since the epoch."""
    if value is None:
        return None
    if shape.type_name == "structure":
        return {
            name: in_milliseconds(shape.members[name], item) for name, item in value.items() if name in shape.members
        }
    if shape.type_name == "list":
        return [in_milliseconds(shape.member, item) for item in value]
    if shape.type_name == "timestamp":
        return round(value * 1000)
    return value
