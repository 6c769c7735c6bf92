"""Invocation bodies as inputs by name: CSV, JSON, JSON Lines, NPY and NPZ.

Each reader says besides in which style it was asked, so that a JSON answer can speak the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from algorithms.common import content_types
from algorithms.common.faults import Refusal
from algorithms.onnx_host.model import Input

INSTANCES, NAMED, BARE = "instances", "named", "bare"
"""Asked as `{"instances": [...]}` (records), as `{"inputs": …}` or by names (columns), or as an array of its own."""
ROWS = ("instances", "features", "data", "values")
"""Keys that wrap the values of one record in a line of JSON Lines, or in one of `instances`."""

Given = tuple[Mapping[str, Any], str]


def read(body: bytes, content_type: str, inputs: Sequence[Input]) -> Given:
    """Inputs by name and the style; Refusal 415 for an unknown type, 400 for a body that is not of its type."""
    form = content_types.parse(content_type).format
    if form not in READERS:
        raise Refusal(415, f"Content type '{content_type}' is not supported. Supported are: {', '.join(ACCEPTED)}.")
    if not body.strip():
        raise Refusal(400, "The body is empty.")
    try:
        return READERS[form](body, inputs)
    except Refusal:
        raise
    except (ValueError, KeyError, TypeError, EOFError, OSError, RecursionError) as error:
        raise Refusal(400, f"The body is not {content_type}: {type(error).__name__}: {error}") from error


def _csv(body: bytes, inputs: Sequence[Input]) -> Given:
    """One record a line. A model with one column per input gets them in its order."""
    lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig"))) if line]
    widths = {len(line) for line in lines}
    if len(widths) > 1:
        raise Refusal(400, f"The lines differ in their number of columns: {sorted(widths)}.")
    text = any(one.dtype == "object" for one in inputs)
    rows: list[list[Any]] = lines if text else [[float(field or "nan") for field in line] for line in lines]
    if len(inputs) == 1:
        return {inputs[0].name: rows}, BARE
    if any(one.width is None for one in inputs) or sum(one.width or 0 for one in inputs) != len(rows[0]):
        named = "; ".join(str(one) for one in inputs)
        raise Refusal(400, f"A line has {len(rows[0])} columns, but the model's inputs are: {named}.")
    given, start = {}, 0
    for one in inputs:
        width = one.width or 0
        given[one.name] = [row[start : start + width] for row in rows]
        start += width
    return given, BARE


def _json(body: bytes, inputs: Sequence[Input]) -> Given:
    told = json.loads(body)
    if isinstance(told, dict) and "instances" in told and "instances" not in _names(inputs):
        return _records(told["instances"], inputs), INSTANCES
    if isinstance(told, dict) and "inputs" in told and "inputs" not in _names(inputs):
        return _columns(told["inputs"], inputs), NAMED
    if isinstance(told, dict):
        return _columns(told, inputs), NAMED
    return _columns(told, inputs), BARE


def _jsonlines(body: bytes, inputs: Sequence[Input]) -> Given:
    records = [json.loads(line) for line in body.decode("utf-8-sig").splitlines() if line.strip()]
    return _records(records, inputs), BARE


def _npy(body: bytes, inputs: Sequence[Input]) -> Given:
    import numpy

    found = numpy.load(io.BytesIO(body), allow_pickle=False)
    if not isinstance(found, numpy.ndarray):
        return {name: found[name] for name in found.files}, BARE
    return _columns(found, inputs), BARE


def _columns(told: Any, inputs: Sequence[Input]) -> Mapping[str, Any]:
    """Whole batches: by name, or the only input's without one."""
    if isinstance(told, dict):
        if len(inputs) == 1 and len(told) == 1 and next(iter(told)) in (*ROWS, "inputs"):
            return {inputs[0].name: next(iter(told.values()))}
        return told
    if len(inputs) != 1:
        raise Refusal(400, f"The model has several inputs; name each of them: {', '.join(_names(inputs))}.")
    return {inputs[0].name: told}


def _records(told: Any, inputs: Sequence[Input]) -> Mapping[str, Any]:
    """A list of records, each an array, or an object by input name."""
    if not isinstance(told, list) or not told:
        raise Refusal(400, "A list with at least one record was expected.")
    names = _names(inputs)
    if not any(isinstance(record, dict) for record in told):
        return _columns(told, inputs)
    given: dict[str, list[Any]] = {}
    for number, record in enumerate(told):
        if not isinstance(record, dict):
            raise Refusal(400, f"Record {number} is an array, but others are objects.")
        if len(inputs) == 1 and set(record) != set(names):
            record = {names[0]: _only(record, number, names[0])}
        if given and set(record) != set(given):
            raise Refusal(400, f"Record {number} has {sorted(record)}, but those before have {sorted(given)}.")
        for name, value in record.items():
            given.setdefault(name, []).append(value)
    shaped = {one.name: one for one in inputs}
    return {name: _column(values, shaped[name]) if name in shaped else values for name, values in given.items()}


def _column(values: list[Any], one: Input) -> list[Any]:
    """A record may write `"age": 3` for an input of shape [N, 1]."""
    plain = len(one.shape) == 2 and one.shape[1] == 1 and not any(isinstance(value, list) for value in values)
    return [[value] for value in values] if plain else values


def _only(record: Mapping[str, Any], number: int, name: str) -> Any:
    if len(record) == 1 and next(iter(record)) in ROWS:
        return next(iter(record.values()))
    raise Refusal(400, f"Record {number} has {sorted(record)}, but the model's input is '{name}'.")


def _names(inputs: Sequence[Input]) -> list[str]:
    return [one.name for one in inputs]


READERS: dict[str, Callable[[bytes, Sequence[Input]], Given]] = {
    content_types.CSV: _csv,
    content_types.JSON: _json,
    content_types.JSONLINES: _jsonlines,
    content_types.NPY: _npy,
    content_types.NPZ: _npy,
}
ACCEPTED = ("text/csv", "application/json", "application/jsonlines", "application/x-npy", "application/x-npz")
