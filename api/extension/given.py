"""What a request of the extension API gives: members of a JSON body or of the query, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from emulator.errors import CallerFault, Validation

LIMIT = 1024 * 1024
"""Bytes of a JSON body."""

JSON = "application/json"

LATEST = 30_000_000_000.0
"""In the year 2920: behind it some clients cannot read timestamps, and nobody needs them."""


class Moment:
    """The kind of a time: seconds since the epoch, or ISO 8601 (without a zone: UTC). It is read as seconds."""


NAMES: Mapping[type, str] = {
    str: "a text",
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    Moment: "seconds since the epoch, or ISO 8601",
}

Kinds = Mapping[str, type]


def members(kinds: Kinds) -> dict[str, Any]:
    """The members of the JSON object in the body, of the kinds that are expected; nothing for an empty body."""
    raw = request.stream.read(LIMIT + 1)
    if not raw:
        return {}
    if len(raw) > LIMIT:
        raise RequestEntityTooLarge(f"The body is larger than {LIMIT} bytes.")
    if request.mimetype != JSON:
        raise UnsupportedMediaType(f"A body must be JSON, with the header Content-Type: {JSON}.")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CallerFault(f"The body is not JSON: {error}", "SerializationException") from error
    if not isinstance(found, dict):
        raise CallerFault("The body is not a JSON object.", "SerializationException")
    return {name: _typed(kinds, name, value) for name, value in found.items() if value is not None}


def query(kinds: Kinds) -> dict[str, Any]:
    """The fields of the query, of the kinds that are expected; empty ones count as not given."""
    return {name: _read(kinds, name, text) for name, text in request.args.items() if text}


def _typed(kinds: Kinds, name: str, value: Any) -> Any:
    kind = _kind(kinds, name)
    if kind is Moment and type(value) in (str, int, float):
        return _moment(name, value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise _wrong(kind, name, value)
    return value


def _read(kinds: Kinds, name: str, text: str) -> Any:
    kind = _kind(kinds, name)
    if kind is bool:
        if text not in ("true", "false"):
            raise _wrong(kind, name, text)
        return text == "true"
    if kind is Moment:
        return _moment(name, text)
    try:
        return kind(text)
    except ValueError:
        raise _wrong(kind, name, text) from None


def _moment(name: str, value: str | float) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = _iso(name, str(value))
    if not 0 <= seconds < LATEST:
        raise _wrong(Moment, name, value)
    return seconds


def _iso(name: str, text: str) -> float:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise _wrong(Moment, name, text) from None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


def _kind(kinds: Kinds, name: str) -> type:
    if name not in kinds:
        raise Validation(f"{name[:100]!r} is unknown here. Known are: {', '.join(kinds) or 'no members'}.")
    return kinds[name]


def _wrong(kind: type, name: str, value: Any) -> Validation:
    return Validation(f"{name} is {value!r:.100}; it must be {NAMES[kind]}.")
