"""The statements behind links and marks: one per shape of query, as `pages` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, delete, insert, select, tuple_, update
from sqlalchemy.sql.expression import ColumnElement

from emulator.store.compiling import p
from emulator.store.tables import LINKS, MARKS

L, M = LINKS.c, MARKS.c
COLUMNS = tuple(column for column in L if column.name != "id")

INSERT = insert(LINKS).values({c.name: p(c.name) for c in COLUMNS})
PAIR = (L.source == p("source"), L.relation == p("relation"), L.destination == p("destination"))
GET = select(*COLUMNS, L.id).where(*PAIR)
DELETE = delete(LINKS).where(*PAIR)
DROP_FROM = delete(LINKS).where(L.source == p("arn"))
DROP_TO = delete(LINKS).where(L.destination == p("arn"))

NEW_MARK = insert(MARKS).values({c.name: p(c.name) for c in M})
RENEW_MARK = update(MARKS).where(M.arn == p("arn")).values(version=p("version"))
MARKED = select(M.arn, M.version, M.fresh).limit(p("limit"))
UNMARK = delete(MARKS).where(M.arn == p("arn"), M.version == p("version"))


def build(shape: Mapping[str, Any], substring: str) -> Select[Any]:
    """The statement of a shape: `{"end", "many"}` for all links of many ARNs, else that of a page."""
    if "many" in shape:
        arns = [p(f"arn{number}") for number in range(shape["many"])]
        return select(*COLUMNS, L.id).where(L[shape["end"]].in_(arns), L.relation == p("relation"))
    return _page(shape)


def _page(shape: Mapping[str, Any]) -> Select[Any]:
    """Scopes are asked for only where no ARN tells them, so that the index of an end is the only one that fits."""
    conditions: list[ColumnElement[bool]] = [L[end] == p(end) for end in shape["ends"]]
    conditions.append(L.relation == p("relation"))
    if not shape["ends"]:
        conditions += [L.account == p("account"), L.region == p("region")]
    if shape["since"]:
        conditions.append(L.created > p("since"))
    if shape["until"]:
        conditions.append(L.created < p("until"))
    order = (L[shape["sort"]], L.id)
    if shape["after"]:
        here, there = tuple_(*order), tuple_(p("after"), p("number"))
        conditions.append(here < there if shape["descending"] else here > there)
    direction = [column.desc() for column in order] if shape["descending"] else list(order)
    return select(*COLUMNS, L.id).where(*conditions).order_by(*direction).limit(p("limit"))
