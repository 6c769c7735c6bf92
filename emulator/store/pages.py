"""The statements behind `Query`: one per shape of query, each answered by walking an index from a position on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.sql.expression import ColumnElement

from emulator.store.database import Database, Statement, p
from emulator.store.records import Query
from emulator.store.tables import RECORDS

C = RECORDS.c
COLUMNS = tuple(column for column in C if column.name not in ("id", "folded"))
SORTS: dict[str, ColumnElement[Any]] = {"created": C.created, "modified": C.modified, "status": C.status}
BOUNDS = ("created_after", "created_before", "modified_after", "modified_before")

_statements: dict[tuple[object, ...], Statement] = {}
"""By shape. Not state of the house: the same shape is the same statement for ever."""


def page_statement(database: Database, query: Query) -> Statement:
    """The statement for queries of this shape."""
    shape = (
        database.dialect.substring,
        query.sort,
        query.descending,
        query.after is None,
        bool(query.contains),
        len(query.statuses),
        query.parent is None,
        tuple(value is None for value in _bounds(query)),
    )
    known = _statements.get(shape)
    if known is None:
        known = _statements[shape] = Statement(_build(database, query))
    return known


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
    values |= {f"status{number}": status for number, status in enumerate(query.statuses)}
    return values | {name: value for name, value in zip(BOUNDS, _bounds(query), strict=True) if value is not None}


def _bounds(query: Query) -> tuple[float | None, ...]:
    return (*query.created, *query.modified)


def _build(database: Database, query: Query) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [C.kind == p("kind"), C.account == p("account"), C.region == p("region")]
    if len(query.statuses) == 1:
        conditions.append(C.status == p("status0"))
    elif query.statuses:
        conditions.append(C.status.in_([p(f"status{number}") for number in range(len(query.statuses))]))
    if query.parent is not None:
        conditions.append(C.parent == p("parent"))
    if query.contains:
        conditions.append(database.contains(C.key, p("contains")))
    columns = (C.created, C.created, C.modified, C.modified)
    for name, value, column in zip(BOUNDS, _bounds(query), columns, strict=True):
        if value is not None:
            conditions.append(column > p(name) if name.endswith("after") else column < p(name))
    order = (C.key,) if query.sort == "name" else (SORTS[query.sort], C.key)
    if query.after is not None:
        here = tuple_(*order)
        there = tuple_(p("after_key")) if query.sort == "name" else tuple_(p("after"), p("after_key"))
        conditions.append(here < there if query.descending else here > there)
    direction = [column.desc() for column in order] if query.descending else list(order)
    return select(*COLUMNS).where(*conditions).order_by(*direction).limit(p("limit"))
