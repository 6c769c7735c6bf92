"""Pages of what is no record of its own: nodes of a cluster, devices of a stage, offers. They are lists in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.call import Call
from emulator.kinds.kind import DESC, PAGE
from emulator.kinds.listing import PAGING
from emulator.resources import tokens


@dataclass(frozen=True)
class Part:
    """One entry of such a list: what it is sorted by, its key (which breaks ties), and what the caller sees."""

    sort: Any
    key: str
    shown: Any


def page(call: Call, parts: Iterable[Part], member: str, order: str, size: int = PAGE) -> dict[str, Any]:
    """One page in `order`, where the request gives no SortOrder. NextToken is absent on the last one."""
    params = call.params
    descending = (params.get("SortOrder") or order).capitalize() == DESC
    rest = {name: value for name, value in params.items() if name not in PAGING or name == "SortBy"}
    print_ = tokens.fingerprint(call.operation, call.scope, rest, descending)
    rows = sorted((((part.sort, part.key), part) for part in parts), key=lambda row: row[0])
    if descending:
        rows.reverse()
    if params.get("NextToken"):
        after = tokens.read(params["NextToken"], print_, type(rows[0][0][0]) if rows else str)
        rows = [(at, part) for at, part in rows if (at < after if descending else at > after)]
    limit = tokens.page_size(params, size)
    answer: dict[str, Any] = {member: [part.shown for _, part in rows[:limit]]}
    if len(rows) > limit:
        answer["NextToken"] = tokens.write(rows[limit - 1][0], print_)
    return answer


def between(value: float, params: Mapping[str, Any], after: str, before: str) -> bool:
    """Whether a time is within the bounds that a request may give, exclusively."""
    low, high = _seconds(params.get(after)), _seconds(params.get(before))
    return (low is None or value > low) and (high is None or value < high)


def _seconds(bound: Any) -> float | None:
    if bound is None:
        return None
    return float(bound.timestamp() if hasattr(bound, "timestamp") else bound)
