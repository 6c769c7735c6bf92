"""`Query` as the store speaks of it: its statement's name, which depends on its shape alone, and its parameters."""

from __future__ import annotations

import json
from typing import Any

from emulator.store.records import Query

BOUNDS = ("created_after", "created_before", "modified_after", "modified_before")


def page_name(query: Query) -> str:
    """The statement for queries of this shape; `pages.build` understands what stands behind the colon."""
    shape = {
        "sort": query.sort,
        "descending": query.descending,
        "after": query.after is not None,
        "contains": bool(query.contains),
        "mentions": len(query.mentions),
        "statuses": len(query.statuses),
        "parent": query.parent is not None,
        "linked": query.linked.end if query.linked is not None else "",
        "bounds": [name for name, value in zip(BOUNDS, _bounds(query), strict=True) if value is not None],
    }
    return f"pages:{json.dumps(shape)}"


def page_values(query: Query) -> dict[str, Any]:
    """The parameters of a query's statement."""
    values: dict[str, Any] = {
        "kind": query.kind,
        "account": query.scope.account,
        "region": query.scope.region,
        "limit": query.limit,
    }
    if query.after is not None:
        values["after"], values["after_key"] = query.after
    if query.contains:
        values["contains"] = query.contains
    if query.parent is not None:
        values["parent"] = query.parent
    if query.linked is not None:
        values["relation"], values["linked"] = query.linked.relation, query.linked.arn
    values |= {f"mention{number}": text for number, text in enumerate(query.mentions)}
    values |= {f"status{number}": status for number, status in enumerate(query.statuses)}
    return values | {name: value for name, value in zip(BOUNDS, _bounds(query), strict=True) if value is not None}


def _bounds(query: Query) -> tuple[float | None, ...]:
    return (*query.created, *query.modified)
