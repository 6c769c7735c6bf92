"""What a request of the extension API gives: members of a JSON body or of the query, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from emulator.errors import CallerFault, Validation

LIMIT = 1024 * 1024
"""Bytes of a JSON body."""

JSON = "application/json"

LATEST = 253_402_300_800.0
"""The end of the year 9999, behind which no timestamp can be written."""

NAMES: Mapping[type, str] = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}

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


def moment(name: str, value: str | float) -> float:
    """A time as seconds since the epoch; given so, or as ISO 8601 (without a zone: UTC)."""
    with suppress(ValueError):
        return _finite(float(value))
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        raise Validation(f"{name} is {value!r:.100}; it must be seconds since the epoch, or ISO 8601.") from None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


def _finite(seconds: float) -> float:
    if not -LATEST < seconds < LATEST:
        raise Validation(f"{seconds} is no time: it must be between the years 1 and 9999.")
    return seconds


def _typed(kinds: Kinds, name: str, value: Any) -> Any:
    kind = _kind(kinds, name)
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
    try:
        return kind(text)
    except ValueError:
        raise _wrong(kind, name, text) from None


def _kind(kinds: Kinds, name: str) -> type:
    if name not in kinds:
        raise Validation(f"{name[:100]!r} is unknown here. Known are: {', '.join(kinds) or 'no members'}.")
    return kinds[name]


def _wrong(kind: type, name: str, value: Any) -> Validation:
    return Validation(f"{name} is {value!r:.100}; it must be {NAMES[kind]}.")
