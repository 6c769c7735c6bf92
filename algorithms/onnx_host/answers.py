"""Outputs by name as bytes: JSON in the style of the question, JSON Lines, CSV, NPY and NPZ."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from algorithms.common.faults import Refusal
from algorithms.onnx_host.model import Outputs
from algorithms.onnx_host.requests import ACCEPTED, INSTANCES, NAMED


def encode(outputs: Outputs, accept: str, style: str) -> bytes:
    """One answer; Refusal 406 when the outputs do not fit into what was accepted."""
    return WRITERS[accept](outputs, style)


def _json(outputs: Outputs, style: str) -> bytes:
    """Records for records, columns for columns: `{"predictions": [...]}`, `{"outputs": {...}}`, or the array alone."""
    if style == INSTANCES:
        return json.dumps({"predictions": _records(outputs)}).encode()
    columns = {name: _plain(value) for name, value in outputs.items()}
    if style == NAMED:
        return json.dumps({"outputs": columns}).encode()
    return json.dumps(next(iter(columns.values())) if len(columns) == 1 else columns).encode()


def _jsonlines(outputs: Outputs, style: str) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in _records(outputs)).encode()


def _csv(outputs: Outputs, style: str) -> bytes:
    """One line per record: all values of the first output, then those of the next. A map gives its values in order."""
    lines = []
    for record in _records(outputs):
        single = len(outputs) == 1
        values = [record] if single else list(record.values())
        lines.append(",".join(_cell(cell) for value in values for cell in _flat(value)))
    return "".join(line + "\n" for line in lines).encode()


def _npy(outputs: Outputs, style: str) -> bytes:
    import numpy

    if len(outputs) > 1:
        raise Refusal(
            406, f"application/x-npy holds one array, but the outputs are {list(outputs)}: accept application/x-npz."
        )
    target = io.BytesIO()
    numpy.save(target, _array(next(iter(outputs.values()))), allow_pickle=False)
    return target.getvalue()


def _npz(outputs: Outputs, style: str) -> bytes:
    import numpy

    target = io.BytesIO()
    arrays: Mapping[str, Any] = {name: _array(value) for name, value in outputs.items()}
    numpy.savez(target, **arrays)
    return target.getvalue()


def _records(outputs: Outputs) -> list[Any]:
    """One entry per record: the only output's value, or all by name."""
    columns = {name: _plain(value) for name, value in outputs.items()}
    for name, value in columns.items():
        columns[name] = value if isinstance(value, list) else [value]
    if len(columns) == 1:
        return next(iter(columns.values()))
    lengths = {len(value) for value in columns.values()}
    if len(lengths) > 1:
        raise Refusal(406, f"The outputs {list(columns)} are not one value per record: accept application/x-npz.")
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    """As JSON knows it: keys of maps are strings, and what is no number (NaN, infinity) is null."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def _array(value: Any) -> Any:
    """A sequence of maps is a matrix, its columns in the order of the first map's keys; text is numpy text."""
    import numpy

    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = [[record[key] for key in value[0]] for record in value]
    found = numpy.asarray(value)
    return found.astype(str) if found.dtype == object else found


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [cell for inner in value.values() for cell in _flat(inner)]
    if isinstance(value, list):
        return [cell for inner in value for cell in _flat(inner)]
    return [value]


def _cell(value: Any) -> str:
    if value is None:
        return "nan"
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


WRITERS: dict[str, Callable[[Outputs, str], bytes]] = dict(
    zip(ACCEPTED, (_csv, _json, _jsonlines, _npy, _npz), strict=True)
)
