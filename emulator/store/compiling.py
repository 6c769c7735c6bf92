"""Statements of SQLAlchemy Core become texts in a database's words. Imported only for a text that is not known yet."""

from __future__ import annotations

import importlib
import json
from typing import Any

from sqlalchemy import BindParameter, bindparam, create_engine, func
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

from emulator.store.texts import SCHEMA, Text


def p(name: str) -> BindParameter[Any]:
    """A parameter of a statement. The underscore keeps its name apart from those of columns."""
    return bindparam(f"{name}_")


def contains(column: ColumnElement[Any], part: ColumnElement[Any], substring: str) -> ColumnElement[bool]:
    """SQL for "`part` is a substring of `column`", case-sensitive (LIKE is not, in SQLite)."""
    position: ColumnElement[Any] = getattr(func, substring)(column, part)
    return position > func.length("")


def compile_text(name: str, url: str, substring: str) -> Text | list[str]:
    """The text of a statement (`module:NAME`, `module:<shape>`), or of the schema, for the database at `url`."""
    dialect = create_engine(url).dialect
    if name == SCHEMA:
        return _schema(dialect)
    module, _, what = name.partition(":")
    found = importlib.import_module(f"emulator.store.{module}")
    shaped = what.startswith("{")
    clause: ClauseElement = found.build(json.loads(what), substring) if shaped else getattr(found, what)
    compiler = clause.compile(dialect=dialect)
    assert isinstance(compiler, SQLCompiler)
    order = tuple(compiler.positiontup or ()) if compiler.positional else None
    constants = {key: value for key, value in compiler.params.items() if not key.endswith("_")}
    return Text(compiler.string, order, constants)


def _schema(dialect: Dialect) -> list[str]:
    """What creates the tables and indices that are not there yet; behind them, what empties the tables."""
    from emulator.store.tables import META

    made = []
    for table in META.sorted_tables:
        made.append(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            made.append(str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)))
    return made
