"""Requests that go wrong on purpose: they wait, are throttled, or end in the error that a rule of the house names.

Services that are not ours are asked what a request means only while there are such rules.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from api import refusals
from api.identify import S3_NAMES
from api.requests import subject
from api.wire import WireReply
from emulator.errors import CallerFault
from emulator.trouble import Rule, Subject

if TYPE_CHECKING:
    from api.app import Exchange, FrontDoor

THROTTLED = ("ThrottlingException", "Rate exceeded", 400)
THROTTLED_BY_QUERY = ("Throttling", "Rate exceeded", 400)
THROTTLED_BY_S3 = ("SlowDown", "Please reduce your request rate.", 503)
"""Code, message and HTTP status (docs/quirks.md)."""

UNSAID = "A fault rule of this server let this request fail."


def let_it_fail(door: FrontDoor, exchange: Exchange) -> WireReply | None:
    """The reply of a request that a rule strikes, after it has waited; None for all others."""
    identity = exchange.identity
    if identity is None:
        return None
    if identity.operation:
        operation, name = identity.operation, subject(exchange)
    else:
        operation, name = exchange.operation_name, exchange.subject = _asked(door, exchange)
    seconds, rule = door.house.trouble.strike_request(Subject(identity.service, operation, name, identity.scope))
    if seconds:
        door.closing.wait(seconds)
    if rule is None:
        return None
    code, message, status = _told(rule, exchange)
    return refusals.worded(door, exchange, identity.service, CallerFault(message, code), status)


def _asked(door: FrontDoor, exchange: Exchange) -> tuple[str, str]:
    """Operation and resource of a request to a service that is not ours. Its body is read, and put back."""
    identity, body = exchange.identity, exchange.request.body.read()
    assert identity is not None
    exchange.request = replace(exchange.request, body=io.BytesIO(body))
    request = refusals.neighbours_request(exchange.request, identity.service, identity.scope)
    found: tuple[str, str] = door.house.neighbours.recognise(request)
    exchange.request.body.seek(0)
    return found


def _told(rule: Rule, exchange: Exchange) -> tuple[str, str, int]:
    if rule.kind == "error":
        return rule.code, rule.message or UNSAID, rule.status
    if exchange.identity is not None and exchange.identity.service in S3_NAMES:
        return THROTTLED_BY_S3
    return THROTTLED_BY_QUERY if refusals.speaks_query(exchange.request) else THROTTLED
