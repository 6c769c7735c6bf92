"""REST-JSON: members travel in the path, the query, the headers, and in a body that is JSON, a blob or a stream."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from botocore.model import OperationModel, Shape, StructureShape

from api.wire import WireReply, WireRequest, eventstream, faults, timestamps, values
from api.wire.json11 import BODY_LIMIT, read_limited
from emulator.call import Answer

CONTENT_TYPE = "application/json"
CHUNK = 64 * 1024


# --- requests --------------------------------------------------------------------------------------------------


def parse(operation: OperationModel, request: WireRequest, uri_params: Mapping[str, str]) -> dict[str, Any]:
    """The input members of a request."""
    shape = operation.input_shape
    if shape is None:
        return {}
    found: dict[str, Any] = {}
    for member in _located(shape):
        given = _given(member, request, uri_params)
        if given is not None:
            found[member.name] = given
    payload = shape.serialization.get("payload")
    if payload:
        _add_payload(found, payload, shape.members[payload], request)
    elif len(_located(shape)) < len(shape.members):
        found.update(_body_members(shape, request))
    return found


class Located(NamedTuple):
    """A member that is not in the body."""

    name: str
    place: str
    wire_name: str
    shape: Shape


@cache
def _located(shape: StructureShape) -> tuple[Located, ...]:
    found = []
    for name, member in shape.members.items():
        if place := member.serialization.get("location"):
            found.append(Located(name, place, member.serialization.get("name", name), member))
    return tuple(found)


def _given(member: Located, request: WireRequest, uri_params: Mapping[str, str]) -> Any:
    name, place, wire_name, shape = member
    if place == "header":
        text = request.headers.get(wire_name.lower())
    elif place == "uri":
        text = uri_params.get(wire_name)
    elif place == "querystring":
        return _from_query(shape, request.query, wire_name, name)
    else:
        prefix = wire_name.lower()
        return {k[len(prefix) :]: v for k, v in request.headers.items() if k.startswith(prefix)} or None
    return None if text is None else _from_text(shape, text, name)


def _from_query(member: Shape, query: Mapping[str, list[str]], wire_name: str, name: str) -> Any:
    if member.type_name == "map":
        inner = member.value
        every = {k: v if inner.type_name == "list" else v[0] for k, v in query.items()}
        return every or None
    given = query.get(wire_name)
    if not given:
        return None
    if member.type_name == "list":
        return [_from_text(member.member, text, name) for text in given]
    return _from_text(member, given[0], name)


def _from_text(member: Shape, text: str, name: str) -> Any:
    """A value out of a header, the path or the query."""
    kind = member.type_name
    value: Any = text
    if kind == "list":
        return [_from_text(member.member, part.strip(), name) for part in text.split(",")]
    if member.serialization.get("jsonvalue"):
        return values.loads(base64.b64decode(text))
    if kind == "boolean":
        value = {"true": True, "false": False}.get(text.lower(), text)
    elif kind in ("integer", "long", "float", "double"):
        value = _number(text)
    return values.read(member, value, (name,))


def _number(text: str) -> Any:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _add_payload(found: dict[str, Any], name: str, member: Shape, request: WireRequest) -> None:
    """The member that is the whole body. A blob is cut one byte after its limit: whoever answers refuses it."""
    if member.serialization.get("streaming"):
        found[name] = request.body
    elif member.type_name == "blob":
        found[name] = request.body.read(member.metadata.get("max", BODY_LIMIT) + 1)
    elif member.type_name == "string":
        found[name] = read_limited(request, BODY_LIMIT).decode("utf-8", "replace")
    elif body := read_limited(request, BODY_LIMIT):
        found[name] = values.read(member, values.loads(body), (name,))


def _body_members(shape: StructureShape, request: WireRequest) -> dict[str, Any]:
    document = values.load_object(read_limited(request, BODY_LIMIT))
    located = {member.wire_name for member in _located(shape)}
    return values.members(shape, {k: v for k, v in document.items() if k not in located})


# --- replies ---------------------------------------------------------------------------------------------------


def answer(operation: OperationModel, answer: Answer, request_id: str) -> WireReply:
    """The reply of a call that succeeded."""
    status = int(operation.http.get("responseCode", 200))
    headers = {"x-amzn-RequestId": request_id}
    shape = operation.output_shape
    if shape is None:
        return WireReply(status, headers)
    rest: dict[str, Any] = {}
    for name, given in answer.items():
        member = shape.members.get(name)
        if given is None or member is None:
            continue
        place = member.serialization.get("location")
        if place == "statusCode":
            status = int(given)
        elif place in ("header", "headers"):
            headers.update(_to_headers(member, member.serialization.get("name", name), given))
        else:
            rest[name] = given
    kind, body = _to_body(shape, rest)
    if kind:
        headers.setdefault("Content-Type", kind)
    return WireReply(status, headers, body)


def _to_headers(member: Shape, name: str, given: Any) -> dict[str, str]:
    if member.serialization.get("location") == "headers":
        return {name + key: _to_text(member.value, value) for key, value in given.items()}
    return {name: _to_text(member, given)}


def _to_text(member: Shape, given: Any) -> str:
    kind = member.type_name
    if member.serialization.get("jsonvalue"):
        return base64.b64encode(json.dumps(given).encode()).decode()
    if kind == "timestamp":
        return str(timestamps.render(given, member.serialization.get("timestampFormat", "rfc822")))
    if kind == "boolean":
        return "true" if given else "false"
    if kind == "list":
        return ",".join(_to_text(member.member, value) for value in given)
    return str(given)


def _to_body(shape: StructureShape, rest: dict[str, Any]) -> tuple[str, Any]:
    payload = shape.serialization.get("payload")
    if not payload:
        return CONTENT_TYPE, values.dumps(values.write(shape, rest))
    member, given = shape.members[payload], rest.get(payload)
    if member.serialization.get("eventstream"):
        return eventstream.CONTENT_TYPE, eventstream.encode(member, given or ())
    if member.type_name in ("blob", "string"):
        return "", _to_bytes(given)  # its type is another member, or unknown
    return CONTENT_TYPE, values.dumps(values.write(member, given if given is not None else {}))


def _to_bytes(given: Any) -> Any:
    if isinstance(given, str):
        return given.encode()
    if hasattr(given, "read"):
        return _chunks(given)
    return b"" if given is None else given


def _chunks(source: Any) -> Iterator[bytes]:
    try:
        while chunk := source.read(CHUNK):
            yield chunk
    finally:
        source.close()


def fault(error: Exception, operation: OperationModel | None, request_id: str) -> WireReply:
    """The reply of a call that failed."""
    document = faults.document(error, operation)
    code = document["__type"]
    headers = {
        "Content-Type": CONTENT_TYPE,
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/com.amazon.coral.service/",
    }
    return WireReply(faults.status(code, operation), headers, values.dumps(document))
