"""Targets of EventBridge rules: what they are sent, and how it gets there. Queues, topics, log groups, other buses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from emulator import arns
from emulator.arns import Arn
from emulator.call import Scope
from emulator.neighbours.asked import Asked, internal, internal_json
from emulator.neighbours.desk import Desk, succeeded

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_PART = re.compile(r'\\.|"|<[A-Za-z0-9_.-]+>|[^\\"<]+|.', re.DOTALL)

Message = Mapping[str, Any]


class Undelivered(Exception):
    """A target cannot be reached; the message says why."""


def deliver(desk: Desk, target: Mapping[str, Any], message: Message, rule: Any) -> None:
    """Send `message` to one target of a rule, as an acknowledged request; `Undelivered` when that cannot be."""
    try:
        arn = arns.parse(target["Arn"])
    except ValueError as error:
        raise Undelivered(str(error)) from error
    send = _SENDERS.get(arn.service)
    if send is None:
        known = ", ".join(sorted(_SENDERS))
        raise Undelivered(f"events are not delivered to {arn.service!r}, only to {known}; poll a queue instead")
    for asked in send(arn, target, text_for(target, message, rule), message):
        reply = desk.forward(asked)
        if not succeeded(reply):
            raise Undelivered(str(reply.body)[:500])


# --- what is sent -----------------------------------------------------------------------------------------------


def text_for(target: Mapping[str, Any], message: Message, rule: Any) -> str:
    """The event, or what Input, InputPath or InputTransformer of the target make of it."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(found_at(target["InputPath"], message))
    transformer = target.get("InputTransformer") or {}
    if not transformer.get("InputTemplate"):
        return json.dumps(message)
    values = {
        "aws.events.event": {name: value for name, value in message.items() if name != "detail"},
        "aws.events.event.json": message,
        "aws.events.event.ingestion-time": message["time"],
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
    }
    values |= {name: found_at(path, message) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    return filled(transformer["InputTemplate"], values)


def found_at(path: str, message: Message) -> Any:
    """What a path such as `$.detail.Tags` or `$.resources[0]` names; None where there is nothing."""
    found: Any = message
    for name, index in _STEP.findall(path.removeprefix("$")):
        if name:
            found = found.get(name) if isinstance(found, Mapping) else None
        else:
            found = found[int(index)] if isinstance(found, list) and int(index) < len(found) else None
    return found


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A template with its `<names>` replaced: as JSON outside of string literals, as plain text inside of them."""
    parts, quoted = [], False
    for part in _PART.findall(template):
        if part == '"':
            quoted = not quoted
        name = part[1:-1] if part[0] == "<" and len(part) > 2 else ""
        if name in values:
            value = values[name]
            part = value if quoted and isinstance(value, str) else json.dumps(value)
            part = json.dumps(part)[1:-1] if quoted else part
        parts.append(part)
    return "".join(parts)


# --- how it gets there ------------------------------------------------------------------------------------------


def _to_queue(arn: Arn, target: Mapping[str, Any], text: str, message: Message) -> list[Asked]:
    members = {"QueueUrl": f"https://queue/{arn.account}/{arn.resource}", "MessageBody": text}
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if group:
        members |= {"MessageGroupId": group, "MessageDeduplicationId": message["id"]}
    return [internal_json("sqs", "AmazonSQS.SendMessage", _home(arn), members)]


def _to_topic(arn: Arn, target: Mapping[str, Any], text: str, message: Message) -> list[Asked]:
    return [internal("sns", "Publish", _home(arn), {"TopicArn": str(arn), "Message": text})]


def _to_log_group(arn: Arn, target: Mapping[str, Any], text: str, message: Message) -> list[Asked]:
    group = arn.resource.removeprefix("log-group:").removesuffix(":*")
    stream = {"logGroupName": group, "logStreamName": message["id"]}
    stamp = int(datetime.fromisoformat(message["time"].replace("Z", "+00:00")).timestamp() * 1000)
    events = {"logEvents": [{"timestamp": stamp, "message": text}]}
    return [
        internal_json("logs", "Logs_20140328.CreateLogStream", _home(arn), stream),
        internal_json("logs", "Logs_20140328.PutLogEvents", _home(arn), {**stream, **events}),
    ]


def _to_bus(arn: Arn, target: Mapping[str, Any], text: str, message: Message) -> list[Asked]:
    entry = {
        "Source": message["source"],
        "DetailType": message["detail-type"],
        "Detail": json.dumps(message["detail"]),
        "Resources": message["resources"],
        "EventBusName": arn.resource.removeprefix("event-bus/"),
    }
    return [internal_json("events", "AWSEvents.PutEvents", _home(arn), {"Entries": [entry]})]


_SENDERS: Mapping[str, Callable[[Arn, Mapping[str, Any], str, Message], list[Asked]]] = {
    "events": _to_bus,
    "logs": _to_log_group,
    "sns": _to_topic,
    "sqs": _to_queue,
}
"""By the service in the target's ARN."""


def _home(arn: Arn) -> Scope:
    return Scope(arn.account, arn.region)
