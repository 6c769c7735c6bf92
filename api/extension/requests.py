"""What was asked of the server: the last requests, filtered; and how many there were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from api.extension import given
from api.requests import PATTERNS, Filter
from emulator.errors import Validation

if TYPE_CHECKING:
    from api.app import FrontDoor

SHOWN = 100
"""Requests of an answer where the question does not say."""

KINDS: given.Kinds = {**dict.fromkeys(PATTERNS, str), "status": str, "since": given.Moment, "after": int, "limit": int}


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""

    @app.get("/_sagelet/requests")
    def requests() -> ResponseReturnValue:
        limit, wanted = _asked()
        found = door.requests.select(wanted, limit)
        counters = door.requests.counters()
        total, errors = (sum(row[name] for row in counters) for name in ("count", "errors"))
        shown = [entry._asdict() for entry in found]
        return jsonify(requests=shown, total=total, errors=errors, counters=counters, kept=door.requests.size)

    @app.delete("/_sagelet/requests")
    def forget_requests() -> ResponseReturnValue:
        door.requests.clear()
        return jsonify(status="empty")


def _asked() -> tuple[int, Filter]:
    fields: dict[str, Any] = given.query(KINDS)
    limit = fields.pop("limit", SHOWN)
    if limit < 1:
        raise Validation(f"limit is {limit}; it must be 1 or more.")
    return limit, Filter(**fields)
