"""CloudWatch Logs: the groups under /aws/sagemaker/ are our own log files, all others are moto's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator import arns
from emulator.call import Scope
from emulator.errors import CallerFault, NotBuilt, Validation
from emulator.logs import FileLogs, StreamFacts
from emulator.neighbours.asked import Asked
from emulator.neighbours.http import HttpReply
from emulator.neighbours.replies import answer_json
from emulator.ports import LogLine

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

OURS = "/aws/sagemaker/"
GROUPS_PAGE = 50
STREAMS_PAGE = 50
_GROUP_OF_ARN = re.compile(r"^arn:[^:]+:logs:[^:]*:[^:]*:log-group:([^:]+)(:.*)?$")


def missing(what: str) -> CallerFault:
    """The service's error for an absent group or stream."""
    return CallerFault(f"The specified log {what} does not exist.", "ResourceNotFoundException")


def group_of(params: Mapping[str, Any]) -> str:
    """The group that a request means, by name or ARN; empty when it names none."""
    name = params.get("logGroupName") or params.get("logGroupIdentifier") or ""
    found = _GROUP_OF_ARN.match(name)
    return found.group(1) if found else str(name)


def is_ours(group: str) -> bool:
    """Whether a group shows our own files."""
    return group.startswith(OURS)


def group_or_missing(logs: FileLogs, group: str) -> str:
    """The group, if it exists."""
    if not logs.has_group(group):
        raise missing("group")
    return group


def describe_log_groups(front: Neighbours, asked: Asked) -> HttpReply | None:
    """Our groups and moto's, in the order of their names."""
    params, logs = asked.params(), front.logs.of(asked.scope)
    prefix, pattern = params.get("logGroupNamePrefix") or "", (params.get("logGroupNamePattern") or "").lower()
    if params.get("logGroupIdentifiers"):
        return None
    names = [name for name in logs.groups(prefix) if is_ours(name) and pattern in name.lower()]
    found = [_shown_group(logs, name, asked.scope) for name in names]
    if not prefix.startswith(OURS) and not front.desk.blank():
        found += [group for group in _groups_of_moto(front, asked) if pattern in group["logGroupName"].lower()]
    found.sort(key=lambda group: str(group["logGroupName"]))
    return _page(found, params, "logGroups", GROUPS_PAGE)


def describe_log_streams(front: Neighbours, asked: Asked) -> HttpReply | None:
    """A group's streams by name or by the time of their last event. No nextToken with a complete answer."""
    params, logs = asked.params(), front.logs.of(asked.scope)
    group = group_of(params)
    if not is_ours(group):
        return None
    group_or_missing(logs, group)
    prefix = params.get("logStreamNamePrefix") or ""
    by_time = params.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        raise Validation("Cannot order by LastEventTime with a logStreamNamePrefix.", "InvalidParameterException")
    names = logs.streams(group, prefix)
    if by_time:
        facts = sorted((logs.facts(group, name) for name in names), key=lambda f: (f.last or 0, f.name))
        names = [fact.name for fact in facts]
    if params.get("descending"):
        names.reverse()
    start, size = _window(params, STREAMS_PAGE)
    shown = [_shown_stream(logs.facts(group, n), group, asked.scope) for n in names[start : start + size]]
    members: dict[str, Any] = {"logStreams": shown}
    if start + size < len(names):
        members["nextToken"] = str(start + size)
    return answer_json(members)


def create_log_group(front: Neighbours, asked: Asked) -> HttpReply | None:
    """A group of ours made by hand."""
    logs = front.logs.of(asked.scope)
    group = group_of(asked.params())
    if not is_ours(group):
        return None
    if logs.has_group(group):
        raise CallerFault("The specified log group already exists", "ResourceAlreadyExistsException")
    logs.make_group(group)
    return answer_json({})


def create_log_stream(front: Neighbours, asked: Asked) -> HttpReply | None:
    """A stream of ours made by hand."""
    logs = front.logs.of(asked.scope)
    group, stream = group_of(asked.params()), asked.params().get("logStreamName", "")
    if not is_ours(group):
        return None
    if logs.has_stream(group_or_missing(logs, group), stream):
        raise CallerFault("The specified log stream already exists", "ResourceAlreadyExistsException")
    logs.path(group, stream)
    return answer_json({})


def put_log_events(front: Neighbours, asked: Asked) -> HttpReply | None:
    """Lines that a client writes into a stream of ours."""
    params, logs = asked.params(), front.logs.of(asked.scope)
    group, stream = group_of(params), params.get("logStreamName", "")
    if not is_ours(group):
        return None
    if not logs.has_stream(group_or_missing(logs, group), stream):
        raise missing("stream")
    events = params.get("logEvents") or []
    logs.put(group, stream, [LogLine(int(e["timestamp"]), str(e["message"])) for e in events])
    return answer_json({"nextSequenceToken": f"{logs.locate(group, stream).stat().st_size:056d}"})


def delete_log_group(front: Neighbours, asked: Asked) -> HttpReply | None:
    """A group of ours goes with its streams."""
    logs = front.logs.of(asked.scope)
    group = group_of(asked.params())
    if not is_ours(group):
        return None
    logs.remove_group(group_or_missing(logs, group))
    return answer_json({})


def delete_log_stream(front: Neighbours, asked: Asked) -> HttpReply | None:
    """A stream of ours goes."""
    logs = front.logs.of(asked.scope)
    group, stream = group_of(asked.params()), asked.params().get("logStreamName", "")
    if not is_ours(group):
        return None
    if not logs.has_stream(group_or_missing(logs, group), stream):
        raise missing("stream")
    logs.remove_stream(group, stream)
    return answer_json({})


def refuse_for_ours(front: Neighbours, asked: Asked) -> HttpReply | None:
    """What a group of files cannot have: retention, keys, filters, tags, queries."""
    params = asked.params()
    named = [group_of(params), *(params.get("logGroupNames") or []), *(params.get("logGroupIdentifiers") or [])]
    resource = _GROUP_OF_ARN.match(str(params.get("resourceArn", "")))
    named += [resource.group(1)] if resource else []
    for group in named:
        if is_ours(group):
            raise NotBuilt(
                f"logs {asked.operation} is not built for {group}, which is kept in files: "
                "read it with GetLogEvents or FilterLogEvents."
            )
    return None


def _groups_of_moto(front: Neighbours, asked: Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = None
    while True:
        # Our token means nothing to moto: all its groups are read, and the page is cut from the whole.
        reply = front.desk.forward(asked.with_params(limit=GROUPS_PAGE, nextToken=token))
        if reply.status != 200 or not isinstance(reply.body, bytes):
            return found
        answer = json.loads(reply.body)
        found += [group for group in answer["logGroups"] if not is_ours(group["logGroupName"])]
        token = answer.get("nextToken")
        if not token:
            return found


def _page(found: list[dict[str, Any]], params: Mapping[str, Any], member: str, usual: int) -> HttpReply:
    start, size = _window(params, usual)
    members: dict[str, Any] = {member: found[start : start + size]}
    if start + size < len(found):
        members["nextToken"] = str(start + size)
    return answer_json(members)


def _window(params: Mapping[str, Any], usual: int) -> tuple[int, int]:
    token, limit = str(params.get("nextToken") or "0"), params.get("limit") or usual
    if not token.isdigit():
        raise Validation("The specified nextToken is invalid.", "InvalidParameterException")
    if not isinstance(limit, int) or not 1 <= limit <= usual:
        raise Validation(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {usual}",
            "InvalidParameterException",
        )
    return int(token), limit


def _shown_group(logs: FileLogs, name: str, scope: Scope) -> dict[str, Any]:
    arn = arns.build(scope, f"log-group:{name}", "logs")
    return {
        "logGroupName": name,
        "creationTime": logs.created(name),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "storedBytes": logs.size(name),
        "logGroupClass": "STANDARD",
    }


def _shown_stream(facts: StreamFacts, group: str, scope: Scope) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "logStreamName": facts.name,
        "creationTime": facts.created,
        "arn": arns.build(scope, f"log-group:{group}:log-stream:{facts.name}", "logs"),
        "uploadSequenceToken": f"{facts.size:056d}",
        "storedBytes": 0,
    }
    if facts.first is not None:
        shown.update(firstEventTimestamp=facts.first, lastEventTimestamp=facts.last, lastIngestionTime=facts.written)
    return shown
