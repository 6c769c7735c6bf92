"""Refusals of requests that nobody has answered yet, in the words of the protocol that each speaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from api import wire
from api.identify import S3_NAMES
from api.wire import WireReply, WireRequest
from emulator.call import Scope
from emulator.errors import CallerFault

if TYPE_CHECKING:
    from api.app import Exchange, FrontDoor

NOWHERE = Scope("", "")
FORM = "application/x-www-form-urlencoded"


def worded(door: FrontDoor, exchange: Exchange, service: str, fault: CallerFault, status: int = 0) -> WireReply:
    """The reply that tells a client of `service` of a fault; with a status of its own if one is given."""
    exchange.code = fault.code
    reply = _reply(door, exchange, service, fault)
    return replace(reply, status=status) if status else reply


def speaks_query(request: WireRequest) -> bool:
    """Whether a request is one of the older services, whose errors have names of their own."""
    return request.headers.get("content-type", "").startswith(FORM)


def neighbours_request(request: WireRequest, service: str, scope: Scope = NOWHERE) -> Any:
    """A request as the neighbours take it (`emulator.neighbours.HttpRequest`)."""
    from emulator.neighbours.http import HttpRequest

    return HttpRequest(
        service=service,
        method=request.method,
        path=request.path,
        query=request.raw_query,
        headers=request.headers,
        body=request.body,
        scope=scope,
    )


def _reply(door: FrontDoor, exchange: Exchange, service: str, fault: CallerFault) -> WireReply:
    if exchange.operation is not None:
        return exchange.protocol.fault(fault, exchange.operation, exchange.request_id)
    request = exchange.request
    if service in S3_NAMES:
        return wire.protocol("rest-xml").fault(fault, None, exchange.request_id)
    if "sagemaker" in service:
        spoken = "json" if "x-amz-target" in request.headers else "rest-json"
        return wire.protocol(spoken).fault(fault, None, exchange.request_id)
    reply = door.house.neighbours.refuse(neighbours_request(request, service), fault)
    return WireReply(reply.status, reply.headers, reply.body)
