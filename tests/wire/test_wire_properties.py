"""Whatever a client sends: never a 500, never a traceback, always an error of AWS's form; and what is valid, arrives.

Each property is tried with a few hundred examples that are always the same; HYPOTHESIS_PROFILE=long tries many more,
and others each time.
"""

from __future__ import annotations

import io
import json
import logging
from http import HTTPStatus
from urllib.parse import parse_qs, quote
from xml.etree import ElementTree

import pytest
from botocore.serialize import create_serializer
from hypothesis import assume, event, given
from hypothesis import strategies as st

from api import wire
from api.app import FrontDoor
from api.wire import WireReply, WireRequest
from emulator import spec
from emulator.house import House
from tests.wire import oddities as odd
from tests.wire.strategies import OPERATIONS, REST, bodies, values
from tests.wire.test_round_trips import over_http, placeholders, text


@pytest.fixture(scope="module")
def door():
    """The whole way of a request, but for the sockets."""
    house = House.for_tests()
    faults: list[logging.LogRecord] = []
    trap = logging.Handler(logging.ERROR)
    trap.emit = faults.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(trap)
    made = FrontDoor(house, 4577)
    yield lambda request: judged(made.answer(request), faults, request.method)
    logging.getLogger().removeHandler(trap)
    house.close()


def judged(reply: WireReply, faults: list[logging.LogRecord], method: str) -> WireReply:
    """The reply, which must be a good one."""
    told = [logging.Formatter().format(record) for record in faults]
    faults.clear()
    assert not told, told[0]
    assert reply.status < 500 or reply.status in (HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.SERVICE_UNAVAILABLE), reply
    body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    if reply.status >= 400 and not (method == "HEAD" and not body):
        code, message = xml_error(body) if body.startswith(b"<") else json_error(body)
        assert code.isidentifier() and message
        assert "Traceback" not in message
        event(f"{reply.status} {code}")
    return reply


def json_error(body: bytes) -> tuple[str, str]:
    document = json.loads(body)
    assert document["Message"] == document["message"]
    return document["__type"], document["message"]


def xml_error(body: bytes) -> tuple[str, str]:
    root = ElementTree.fromstring(body)
    assert root.tag == "Error"
    return root.findtext("Code") or "", root.findtext("Message") or ""


def request(method: str, path: str, headers: dict[str, str], body: bytes, query: str = "") -> WireRequest:
    fields = parse_qs(query, keep_blank_values=True)
    return WireRequest(method, path, fields, {"host": "127.0.0.1:4577", **headers}, io.BytesIO(body), query)


# --- what is valid ------------------------------------------------------------------------------------------------


@given(st.data())
def test_what_botocore_sends_arrives_as_it_was_given(data):
    service, name = data.draw(st.sampled_from(OPERATIONS))
    model = spec.load(service)
    operation = model.operation_model(name)
    params = data.draw(values(operation.input_shape)) if operation.input_shape else {}
    protocol = model.metadata["protocol"]
    sent = over_http(create_serializer(protocol, include_validation=False).serialize_to_request(params, operation))
    uri = placeholders(operation, sent.path) if protocol == "rest-json" else {}
    assert text(wire.protocol(protocol).parse(operation, sent, uri)) == params


@given(st.data())
def test_what_botocore_can_send_is_answered_or_refused_by_name(door, data):
    service, name = data.draw(st.sampled_from(OPERATIONS))
    model = spec.load(service)
    operation = model.operation_model(name)
    params = data.draw(values(operation.input_shape)) if operation.input_shape else {}
    serializer = create_serializer(model.metadata["protocol"], include_validation=False)
    sent = over_http(serializer.serialize_to_request(params, operation))
    headers = {**sent.headers, "authorization": odd.SIGNED.format("test", model.signing_name), "host": "127.0.0.1:4577"}
    door(WireRequest(sent.method, sent.path, sent.query, headers, sent.body, ""))


# --- what is broken -----------------------------------------------------------------------------------------------


@given(st.data())
def test_a_broken_document_is_refused_in_words(door, data):
    service, name = data.draw(st.sampled_from([o for o in OPERATIONS if o[0] == "sagemaker"]))
    shape = spec.load(service).operation_model(name).input_shape
    headers = {
        "x-amz-target": f"SageMaker.{name}",
        "authorization": odd.SIGNED.format("test", "sagemaker"),
        "content-type": data.draw(odd.CONTENT_TYPES),
    }
    door(request("POST", "/", headers, data.draw(bodies(shape))))


@given(st.data())
def test_a_broken_rest_request_is_refused_in_words(door, data):
    service, name = data.draw(st.sampled_from(REST))
    model = spec.load(service)
    operation = model.operation_model(name)
    template = operation.http["requestUri"].partition("?")[0]
    path = "/".join(data.draw(odd.ESCAPES) if part.startswith("{") else part for part in template.split("/"))
    members = operation.input_shape.members if operation.input_shape else {}
    located = {m.serialization["name"].lower() for m in members.values() if m.serialization.get("location") == "header"}
    chosen = data.draw(st.lists(st.sampled_from(sorted(located)), unique=True)) if located else []
    headers = {header: data.draw(odd.HEADER_VALUES) for header in chosen}
    headers["authorization"] = odd.SIGNED.format("test", model.signing_name)
    query = data.draw(st.sampled_from(["", "a", "a=%ff&a=", "maxResults=x&MaxResults=1e9&nextToken=%00", "&&&=;"]))
    door(request(operation.http["method"], path, headers, data.draw(bodies(operation.input_shape)), query))


@given(data=st.data())
def test_a_request_of_no_known_form_is_refused_in_words(door, data):
    path = "/" + "/".join(data.draw(st.lists(odd.ESCAPES | st.sampled_from(["bucket", "key"]), max_size=4)))
    assume(not path.startswith("/_sagelet"))
    headers = data.draw(odd.S3_HEADERS)
    for name, drawn in (("x-amz-target", odd.TARGETS), ("authorization", odd.AUTHORIZATIONS)):
        if data.draw(st.booleans()):
            headers[name] = data.draw(drawn)
    method, body = data.draw(odd.METHODS), data.draw(odd.XML | st.binary(max_size=30))
    door(request(method, path, headers, body, data.draw(odd.QUERIES)))


@pytest.fixture(scope="module")
def bucket(door):
    door(request("PUT", "/bucket", {"authorization": odd.SIGNED.format("test", "s3")}, b""))
    return "bucket"


@given(data=st.data())
def test_a_broken_s3_request_is_refused_in_words(door, bucket, data):
    key = data.draw(st.sampled_from(["", "/", "/key", "/" + quote("a b/ü"), "/%ff", "/%", "/..", "/" + "k" * 1100]))
    headers = {**data.draw(odd.S3_HEADERS), "authorization": odd.SIGNED.format("test", "s3")}
    body = data.draw(odd.XML | st.binary(max_size=30))
    door(request(data.draw(odd.METHODS), f"/{bucket}{key}", headers, body, data.draw(odd.QUERIES)))
