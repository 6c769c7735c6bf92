"""Answers and faults of our own, in the protocol that the request spoke."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from emulator import spec
from emulator.errors import CallerFault, HouseFault, NotBuilt
from emulator.ids import request_id
from emulator.neighbours import cbor
from emulator.neighbours.asked import CBOR, JSON, QUERY
from emulator.neighbours.http import HttpReply
from emulator.neighbours.services import SERVICES

CONTENT_TYPES = {
    JSON: "application/x-amz-json-1.1",
    QUERY: "text/xml",
    CBOR: "application/cbor",
}
NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
}
STATUSES = {"AccessDenied": 403, "AccessDeniedException": 403, "NoSuchEntity": 404}


def answer_json(members: Mapping[str, Any], status: int = 200) -> HttpReply:
    """A JSON answer."""
    headers = {"content-type": CONTENT_TYPES[JSON], "x-amzn-requestid": request_id()}
    return HttpReply(status, headers, json.dumps(members).encode())


def answer_xml(service: str, operation: str, inner: str) -> HttpReply:
    """An answer of the query protocol; `inner` is the XML of the result's members."""
    ident = request_id()
    body = (
        f'<{operation}Response xmlns="{NAMESPACES[service]}"><{operation}Result>{inner}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{ident}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return HttpReply(200, {"content-type": "text/xml", "x-amzn-requestid": ident}, body.encode())


def xml(members: Mapping[str, Any]) -> str:
    """Members as XML elements: text, lists of `member`, or nested members."""
    return "".join(f"<{name}>{_element(value)}</{name}>" for name, value in members.items())


def _element(value: Any) -> str:
    if isinstance(value, Mapping):
        return xml(value)
    if isinstance(value, (list, tuple)):
        return "".join(f"<member>{_element(item)}</member>" for item in value)
    return escape(str(value))


def fault(error: Exception, protocol: str) -> HttpReply:
    """The reply of what went wrong: 400 or what the code asks for, 501 for what is not built, 500 for our bugs."""
    if isinstance(error, CallerFault):
        return worded(error.code, error.message, STATUSES.get(error.code, 400), protocol)
    if isinstance(error, NotBuilt):
        return worded(NotBuilt.code, error.message, 501, protocol)
    message = error.message if isinstance(error, HouseFault) else f"{type(error).__name__}: {error}"
    return worded(HouseFault.code, message, 500, protocol)


def worded(code: str, message: str, status: int, protocol: str) -> HttpReply:
    """An error answer."""
    ident = request_id()
    headers = {"x-amzn-requestid": ident, "content-type": CONTENT_TYPES.get(protocol, "application/json")}
    if protocol == QUERY:
        kind = "Sender" if status < 500 else "Receiver"
        error = xml({"Type": kind, "Code": code, "Message": message})
        text = f"<ErrorResponse><Error>{error}</Error><RequestId>{ident}</RequestId></ErrorResponse>"
        return HttpReply(status, headers, text.encode())
    if protocol == CBOR:
        headers["smithy-protocol"] = "rpc-v2-cbor"
        return HttpReply(status, headers, cbor.encode({"__type": code, "message": message}))
    headers["x-amzn-errortype"] = code
    return HttpReply(status, headers, json.dumps({"__type": code, "message": message}).encode())


def to_cbor(service: str, operation: str, reply: HttpReply) -> HttpReply:
    """A JSON reply as a CBOR client wants it: times tagged, floats as floats, by the service model."""
    raw = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    members = json.loads(raw or b"{}")
    if reply.status < 400:
        shape = spec.load(SERVICES[service].model).operation_model(operation).output_shape
        members = _typed(members, shape) if shape is not None else {}
    headers = {name: value for name, value in reply.headers.items() if name.lower() != "content-length"}
    headers.update({"content-type": CONTENT_TYPES[CBOR], "smithy-protocol": "rpc-v2-cbor"})
    return HttpReply(reply.status, headers, cbor.encode(members))


def _typed(value: Any, shape: Any) -> Any:
    if value is None:
        return None
    if shape.type_name == "structure":
        return {name: _typed(value[name], member) for name, member in shape.members.items() if name in value}
    if shape.type_name == "list":
        return [_typed(item, shape.member) for item in value]
    if shape.type_name == "map":
        return {key: _typed(item, shape.value) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return cbor.Instant(value)
    return float(value) if shape.type_name in ("float", "double") else value
