"""JSON values by shape type: `read` turns what json.loads found into parameters, `write` an answer into JSON.

One function for each type of shape; both protocols that carry JSON bodies share them.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from botocore.model import ListShape, MapShape, Shape, StructureShape

from api.wire import timestamps
from emulator.errors import CallerFault

DEPTH = 100
"""How deep a request may be nested; the deepest real one (a Search expression) has about 20 levels."""

Path = tuple[str, ...]


def refusal(message: str) -> CallerFault:
    """The error for bytes that do not say what the model expects."""
    return CallerFault(message, code="SerializationException")


def loads(body: bytes) -> Any:
    """A JSON document, or a `SerializationException`, however odd the bytes are."""
    try:
        return json.loads(body)
    except RecursionError:
        raise refusal("The request body is nested too deeply.") from None
    except ValueError as error:
        raise refusal(f"The request body is not valid JSON: {error}.") from None


def load_object(body: bytes) -> dict[str, Any]:
    """A JSON document that must be an object; nothing at all counts as an empty one."""
    document = loads(body) if body.strip() else {}
    if not isinstance(document, dict):
        raise refusal(f"The request body must be a JSON object, not {_word(document)}.")
    return document


# --- reading ---------------------------------------------------------------------------------------------------


def read(shape: Shape, value: Any, path: Path = ()) -> Any:
    """The parameter that `value` stands for; a `SerializationException` names what cannot be one."""
    if len(path) > DEPTH:
        raise refusal(f"The request is nested deeper than {DEPTH} levels.")
    return _READ.get(shape.type_name, _read_string)(shape, value, path)


def members(shape: StructureShape, value: Mapping[str, Any], path: Path = ()) -> dict[str, Any]:
    """The members of `value` that the model knows and that are not null, in the model's names."""
    found = {}
    for name, wire_name, member in _readers(shape):
        given = value.get(wire_name)
        if given is not None:
            found[name] = read(member, given, (*path, name))
    return found


@cache
def _readers(shape: StructureShape) -> tuple[tuple[str, str, Shape], ...]:
    """Each member with its name on the wire and its shape; kept as long as the model."""
    return tuple((name, member.serialization.get("name", name), member) for name, member in shape.members.items())


def _read_structure(shape: StructureShape, value: Any, path: Path) -> Any:
    if shape.is_document_type:
        return value
    if not isinstance(value, dict):
        raise _mismatch("a structure", value, path)
    return members(shape, value, path)


def _read_list(shape: ListShape, value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise _mismatch("a List", value, path)
    member = shape.member
    return [None if v is None else read(member, v, (*path, str(i))) for i, v in enumerate(value, 1)]


def _read_map(shape: MapShape, value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _mismatch("a Map", value, path)
    for key in value:
        _read_string(shape.key, key, path)
    return {k: None if v is None else read(shape.value, v, (*path, k)) for k, v in value.items()}


def _read_string(shape: Shape, value: Any, path: Path) -> Any:
    if not isinstance(value, str):
        raise _mismatch("a String", value, path)
    if not value.isascii():
        _encodable(value, path)
    return value


def _encodable(value: str, path: Path) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise refusal(f"The string at '{_dotted(path)}' holds half of a surrogate pair: {value[:80]!a}.") from None


def _read_integer(shape: Shape, value: Any, path: Path) -> int:
    whole = isinstance(value, float) and value.is_integer()
    if isinstance(value, bool) or not (whole or isinstance(value, int)):
        raise _mismatch("an Integer", value, path)
    return int(value)


def _read_float(shape: Shape, value: Any, path: Path) -> float:
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _mismatch("a Float", value, path)
    try:
        return float(value)
    except OverflowError:
        raise _mismatch("a Float", value, path) from None


def _read_boolean(shape: Shape, value: Any, path: Path) -> bool:
    if not isinstance(value, bool):
        raise _mismatch("a Boolean", value, path)
    return value


def _read_blob(shape: Shape, value: Any, path: Path) -> bytes:
    if not isinstance(value, str):
        raise _mismatch("a base64 String", value, path)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _mismatch("a base64 String", value, path) from None


def _read_timestamp(shape: Shape, value: Any, path: Path) -> datetime:
    try:
        return timestamps.parse(value)
    except ValueError:
        raise _mismatch("a Timestamp", value, path) from None


def _word(value: Any) -> str:
    words: dict[type, str] = {dict: "a structure or map", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else words.get(type(value), "a number")


def _dotted(path: Path) -> str:
    return ".".join(step[:1].lower() + step[1:] for step in path)


def _mismatch(wanted: str, value: Any, path: Path) -> CallerFault:
    shown = repr(value) if not isinstance(value, (dict, list)) else ""
    shown = f": {ascii(shown[:80])[1:-1]}" if shown else ""
    return refusal(f"{_word(value).capitalize()} can not be converted to {wanted} at '{_dotted(path)}'{shown}")


_READ: Mapping[str, Callable[[Any, Any, Path], Any]] = {
    "structure": _read_structure,
    "list": _read_list,
    "map": _read_map,
    "string": _read_string,
    "character": _read_string,
    "integer": _read_integer,
    "long": _read_integer,
    "float": _read_float,
    "double": _read_float,
    "boolean": _read_boolean,
    "blob": _read_blob,
    "timestamp": _read_timestamp,
}


# --- writing ---------------------------------------------------------------------------------------------------


def dumps(value: Any) -> bytes:
    """The bytes of a JSON document, as short as they can be."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, or an integer of more than 64 bits
        return _ENCODER.encode(value).encode("utf-8", "backslashreplace")


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def write(shape: Shape, value: Any) -> Any:
    """What json.dumps shall print for `value`. Members that are None or not in the model are left out."""
    writer = _WRITE.get(shape.type_name)
    return writer(shape, value) if writer else value


def _write_structure(shape: StructureShape, value: Any) -> Any:
    if shape.is_document_type:
        return value
    found = {}
    known = _writers(shape)
    for name, given in value.items():
        if given is not None and name in known:
            wire_name, writer, member = known[name]
            found[wire_name] = writer(member, given) if writer else given
    return found


@cache
def _writers(shape: StructureShape) -> dict[str, tuple[str, Callable[[Any, Any], Any] | None, Shape]]:
    """For each member its name on the wire, what writes it, and its shape; kept as long as the model."""
    return {
        name: (member.serialization.get("name", name), _WRITE.get(member.type_name), member)
        for name, member in shape.members.items()
    }


def _write_list(shape: ListShape, value: Any) -> list[Any]:
    member = shape.member
    writer = _WRITE.get(member.type_name)
    return [writer(member, v) for v in value] if writer else list(value)


def _write_map(shape: MapShape, value: Any) -> dict[str, Any]:
    return {str(k): write(shape.value, v) for k, v in value.items() if v is not None}


def _write_string(shape: Shape, value: Any) -> Any:
    return value if type(value) is str else str(value)


def _write_float(shape: Shape, value: Any) -> Any:
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _write_blob(shape: Shape, value: Any) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _write_timestamp(shape: Shape, value: Any) -> Any:
    form = shape.serialization.get("timestampFormat")
    return timestamps.render(value, form) if form else timestamps.seconds(value)


_WRITE: Mapping[str, Callable[[Any, Any], Any]] = {
    "structure": _write_structure,
    "list": _write_list,
    "map": _write_map,
    "string": _write_string,
    "float": _write_float,
    "double": _write_float,
    "integer": lambda shape, value: int(value),
    "long": lambda shape, value: int(value),
    "blob": _write_blob,
    "timestamp": _write_timestamp,
}
