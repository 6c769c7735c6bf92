"""The statements of the index of Search whose shape depends on the query: conditions, bounded counts, walks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, exists, func, literal_column, select, tuple_
from sqlalchemy.sql.expression import ColumnElement

from emulator.store.compiling import contains, p
from emulator.store.tables import RECORDS, SEARCH_TERMS
from emulator.store.terms import NATIVE

R, T = RECORDS.c, SEARCH_TERMS.c
_ONE: ColumnElement[int] = literal_column("1")
_HERE = (R.kind == p("kind"), R.account == p("account"), R.region == p("region"))


def build(shape: Mapping[str, Any], substring: str) -> Select[Any]:
    """The statement of a shape (`search.SearchView`); `substring` is the database's function for it."""
    column = shape["column"]
    if shape["what"] == "stand":
        return select(R[column], R.key).where(R.id == p("id"), *_HERE)
    if shape["what"] == "walk":
        return _walk(shape)
    native = column in (*NATIVE, "all")
    where = list(_HERE) if native else [T.property == p("property")]
    where += _passes(column, shape["tests"], substring)
    if shape["what"] == "ids":
        return select(R.id if native else T.record).where(*where)
    # Counting stops where the answer would be "many": how many is nobody's business.
    return select(func.count()).select_from(select(_ONE).where(*where).limit(p("limit")).subquery())


def _value(column: str) -> ColumnElement[Any]:
    return R[column] if column in NATIVE else T[column]


def _passes(column: str, operators: Sequence[str], substring: str) -> list[ColumnElement[bool]]:
    if column in ("any", "all"):
        return []
    value = _value(column)
    # Said aloud, so that the index that leaves absent values out is known to do.
    there = [] if column in NATIVE else [value.is_not(None)]
    return there + [_test(value, operator, p(f"operand{n}"), substring) for n, operator in enumerate(operators)]


def _test(value: ColumnElement[Any], operator: str, operand: ColumnElement[Any], substring: str) -> ColumnElement[bool]:
    if operator == "contains":
        return contains(value, operand, substring)
    if operator == "may contain":  # what was cut may have contained it behind the cut
        return contains(value, operand, substring) | (func.length(value) >= p("cut"))
    compared: ColumnElement[bool] = value.op(operator, is_comparison=True)(operand)
    return compared


def _walk(shape: Mapping[str, Any]) -> Select[Any]:
    column, descending, after = shape["column"], shape["descending"], shape["after"]
    if column == "absent":
        lacking = ~exists().where(T.property == p("property"), T.record == R.id)
        behind = [R.key > p("tie")] if after else []
        return select(R.key, R.key, R.id).where(*_HERE, lacking, *behind).order_by(R.key).limit(p("limit"))
    native, value = column in NATIVE, _value(column)
    tie: ColumnElement[Any] = R.key if native else T.record
    place: list[ColumnElement[bool]] = list(_HERE) if native else [T.property == p("property"), value.is_not(None)]
    place += [_test(value, operator, p(f"operand{n}"), "") for n, operator in enumerate(shape["tests"])]
    if column == "text":  # a text that reads as a number was met among the numbers
        place.append(T.number.is_(None))
    order = [value] if column == "key" else [value, tie]
    if after:
        here = tuple_(*order)
        there = tuple_(p("tie")) if column == "key" else tuple_(p("value"), p("tie"))
        place.append(here < there if descending else here > there)
    direction = [one.desc() for one in order] if descending else order
    return select(value, tie, R.id if native else T.record).where(*place).order_by(*direction).limit(p("limit"))
