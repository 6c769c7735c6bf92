"""The statements behind `Query`: one per shape of query, each answered by walking an index from a position on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.sql.expression import ColumnElement

from emulator.store.compiling import contains, p
from emulator.store.tables import LINKS, RECORDS

C, L = RECORDS.c, LINKS.c
COLUMNS = tuple(column for column in C if column.name not in ("id", "folded"))
SORTS: dict[str, ColumnElement[Any]] = {"created": C.created, "modified": C.modified, "status": C.status}


_IN_SCOPE = (C.kind == p("kind"), C.account == p("account"), C.region == p("region"))


def _linked(end: str) -> list[ColumnElement[bool]]:
    """Neither kind nor scope are asked for: a link tells both, and the planner has one way to go."""
    near = L.destination if end == "source" else L.source
    return [L[end] == p("linked"), L.relation == p("relation"), near == C.arn]


def build(shape: Mapping[str, Any], substring: str) -> Select[Any]:
    """The statement of a shape (`queries.page_name`); `substring` is the database's function for it."""
    conditions = _linked(shape["linked"]) if shape["linked"] else list(_IN_SCOPE)
    if shape["statuses"] == 1:
        conditions.append(C.status == p("status0"))
    elif shape["statuses"]:
        conditions.append(C.status.in_([p(f"status{number}") for number in range(shape["statuses"])]))
    if shape["parent"]:
        conditions.append(C.parent == p("parent"))
    if shape["contains"]:
        conditions.append(contains(C.key, p("contains"), substring))
    conditions += [contains(C.body, p(f"mention{number}"), substring) for number in range(shape["mentions"])]
    for name in shape["bounds"]:
        column = C.created if name.startswith("created") else C.modified
        conditions.append(column > p(name) if name.endswith("after") else column < p(name))
    order = (C.key,) if shape["sort"] == "name" else (SORTS[shape["sort"]], C.key)
    if shape["after"]:
        here = tuple_(*order)
        there = tuple_(p("after_key")) if shape["sort"] == "name" else tuple_(p("after"), p("after_key"))
        conditions.append(here < there if shape["descending"] else here > there)
    direction = [column.desc() for column in order] if shape["descending"] else list(order)
    return select(*COLUMNS).where(*conditions).order_by(*direction).limit(p("limit"))
