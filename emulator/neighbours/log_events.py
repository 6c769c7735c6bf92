"""Events of our own log groups: GetLogEvents by byte offsets, FilterLogEvents over several streams."""

from __future__ import annotations

import heapq
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.errors import NotBuilt, Validation
from emulator.logs import FileLogs, Placed
from emulator.logs.pages import page_after, page_before
from emulator.neighbours.asked import Asked
from emulator.neighbours.cloudwatch_logs import group_of, group_or_missing, is_ours, missing
from emulator.neighbours.http import HttpReply
from emulator.neighbours.replies import answer_json
from emulator.ports import LogLine

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

MOST_EVENTS = 10_000
MOST_BYTES = 1024 * 1024
_TOKEN = re.compile(r"^([fb])/(\d{56})/s$")
_QUOTED = re.compile(r'[-?]?"(?:[^"\\]|\\.)*"|\S+')

Wanted = Callable[[LogLine], bool]


def get_log_events(front: Neighbours, asked: Asked) -> HttpReply | None:
    """A page of one stream. Tokens are byte offsets; at either end the token that was given comes back."""
    params, logs = asked.params(), front.logs.of(asked.scope)
    group, stream = group_of(params), params.get("logStreamName", "")
    if not is_ours(group):
        return None
    if not logs.has_stream(group_or_missing(logs, group), stream):
        raise missing("stream")
    path, limit = logs.locate(group, stream), _limit(params)
    way, offset = _place(params.get("nextToken"), bool(params.get("startFromHead")), path)
    page = (page_after if way == "f" else page_before)(path, offset, limit, MOST_BYTES, _between(params))
    events = [_event(placed) for placed in page.lines]
    return answer_json(
        {
            "events": events,
            "nextForwardToken": f"f/{page.end:056d}/s",
            "nextBackwardToken": f"b/{page.begin:056d}/s",
        }
    )


def filter_log_events(front: Neighbours, asked: Asked) -> HttpReply | None:
    """Matching events of several streams in the order of their times."""
    params, logs = asked.params(), front.logs.of(asked.scope)
    group = group_of(params)
    if not is_ours(group):
        return None
    group_or_missing(logs, group)
    search = _Search(
        logs,
        group,
        _streams(logs, group, params),
        _both(_between(params), matcher(params.get("filterPattern") or "")),
        _offsets(params.get("nextToken")),
    )
    events = search.page(_limit(params))
    members: dict[str, Any] = {"events": events, "searchedLogStreams": []}
    if search.more:
        # Not base64 of JSON: for that botocore's paginators take a StartingToken of their own, and ours would be lost.
        members["nextToken"] = json.dumps(search.offsets).encode().hex()
    return answer_json(members)


@dataclass
class _Search:
    """A walk over streams in the order of time, which stops anywhere and goes on from byte offsets."""

    logs: FileLogs
    group: str
    streams: list[str]
    wanted: Wanted
    offsets: dict[str, int]
    more: bool = field(default=False, init=False)

    def page(self, limit: int) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        room = MOST_BYTES
        walks = (self._walk(number, stream) for number, stream in enumerate(self.streams))
        for _, _, stream, placed in heapq.merge(*walks, key=lambda found: found[:2]):
            room -= placed.end - placed.begin
            if len(events) >= limit or (events and room < 0):
                self.more = True
                self.offsets[stream] = placed.begin
                return events
            ident = f"{placed.line.timestamp:013d}{placed.begin:043d}"
            events.append({"logStreamName": stream, **_event(placed), "eventId": ident})
            self.offsets[stream] = placed.end
        return events

    def _walk(self, number: int, stream: str) -> Iterator[tuple[int, int, str, Placed]]:
        """Opens the file for a few lines at a time: a group may have more streams than a process may have files."""
        path, offset, size = self.logs.locate(self.group, stream), self.offsets.get(stream, 0), 8
        while (page := page_after(path, offset, size, MOST_BYTES, self.wanted)).lines:
            for placed in page.lines:
                yield placed.line.timestamp, number, stream, placed
            offset, size = page.end, min(size * 8, 512)


def matcher(pattern: str) -> Wanted:
    """A filter pattern of terms: all of `a "b c"`, any of `?a ?b`, none of `-a`. JSON patterns are refused."""
    text = pattern.strip()
    if text[:1] in ("{", "[", "%"):
        raise NotBuilt(f"The filter pattern {pattern!r} is not built: use terms, such as error -warning ?this ?that.")
    try:
        terms = [_unquoted(term) for term in _QUOTED.findall(text)]
    except ValueError as error:
        raise Validation(f"Invalid filter pattern: {error}", "InvalidParameterException") from error
    every = [word for sign, word in terms if sign == ""]
    some = [word for sign, word in terms if sign == "?"]
    none = [word for sign, word in terms if sign == "-"]

    def matches(line: LogLine) -> bool:
        message = line.message
        if any(word in message for word in none) or not all(word in message for word in every):
            return False
        return not some or bool(every) or any(word in message for word in some)

    return matches


def _unquoted(term: str) -> tuple[str, str]:
    sign = term[0] if term[0] in "?-" else ""
    word = term[len(sign) :]
    return sign, shlex.split(word)[0] if word.startswith('"') else word


def _between(params: Mapping[str, Any]) -> Wanted:
    start, end = params.get("startTime"), params.get("endTime")
    low, high = (int(start) if start else 0), (int(end) if end else None)
    return lambda line: line.timestamp >= low and (high is None or line.timestamp < high)


def _both(one: Wanted, other: Wanted) -> Wanted:
    return lambda line: one(line) and other(line)


def _limit(params: Mapping[str, Any]) -> int:
    limit = params.get("limit") or MOST_EVENTS
    if not isinstance(limit, int) or not 1 <= limit <= MOST_EVENTS:
        raise Validation(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {MOST_EVENTS}",
            "InvalidParameterException",
        )
    return limit


def _place(token: object, from_head: bool, path: Path) -> tuple[str, int]:
    if not token:
        return ("f", 0) if from_head else ("b", path.stat().st_size)
    found = _TOKEN.match(str(token))
    if not found:
        raise Validation("The specified nextToken is invalid.", "InvalidParameterException")
    return found[1], int(found[2])


def _offsets(token: object) -> dict[str, int]:
    if not token:
        return {}
    try:
        found = json.loads(bytes.fromhex(str(token)))
        return {str(stream): int(offset) for stream, offset in found.items()}
    except (ValueError, AttributeError, TypeError):
        raise Validation("The specified nextToken is invalid.", "InvalidParameterException") from None


def _streams(logs: FileLogs, group: str, params: Mapping[str, Any]) -> list[str]:
    named, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix") or ""
    if named and prefix:
        raise Validation("Cannot specify both logStreamNames and logStreamNamePrefix", "InvalidParameterException")
    if not named:
        return logs.streams(group, prefix)
    for stream in named:
        if not logs.has_stream(group, stream):
            raise missing("stream")
    return [str(stream) for stream in named]


def _event(placed: Placed) -> dict[str, Any]:
    when = placed.line.timestamp
    return {"timestamp": when, "message": placed.line.message, "ingestionTime": when}
