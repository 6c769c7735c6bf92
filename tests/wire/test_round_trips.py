"""Every operation of every model: what botocore's serializer writes we read, what we write botocore's parser reads."""

import io
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.eventstream import EventStreamBuffer
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from api import wire
from emulator import spec
from emulator.errors import CallerFault, NotBuilt
from tests.wire.samples import Sampler

OPERATIONS = [(service, name) for service in spec.SERVICES for name in spec.load(service).operation_names]
BY_SERVICE = [(s, [n for owner, n in OPERATIONS if owner == s]) for s in spec.SERVICES]


def over_http(serialized) -> wire.WireRequest:
    """What arrives when botocore's request dict was sent."""
    prepared = AWSRequest(
        method=serialized["method"],
        url="http://localhost" + serialized["url_path"],
        params=serialized["query_string"],
        headers=serialized["headers"],
        data=serialized["body"],
    ).prepare()
    parts = urlsplit(prepared.url)
    body = prepared.body if prepared.body is not None else b""
    body = body.encode() if isinstance(body, str) else body
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in prepared.headers.items()}
    query = parse_qs(parts.query, keep_blank_values=True)
    return wire.WireRequest(prepared.method, parts.path, query, headers, io.BytesIO(body))


def placeholders(operation, path: str) -> dict[str, str]:
    """The values of `{Name}` in the model's path, found without our own router."""
    template = operation.http["requestUri"].split("?")[0].strip("/").split("/")
    given = path.strip("/").split("/")
    return {t.strip("{}"): unquote(g) for t, g in zip(template, given, strict=True) if t.startswith("{")}


def sent(reply: wire.WireReply) -> dict:
    """A reply as botocore's parsers want it."""
    return {"status_code": reply.status, "headers": HeadersDict(reply.headers), "body": reply.body}


def text(value):
    """Streams as their bytes, so that answers compare."""
    if isinstance(value, dict):
        return {k: text(v) for k, v in value.items()}
    return value.read() if hasattr(value, "read") else value


def check_request(service, name, sampler):
    model = spec.load(service)
    operation = model.operation_model(name)
    params = sampler.sample(operation.input_shape) if operation.input_shape else {}
    protocol = model.metadata["protocol"]
    request = over_http(create_serializer(protocol, include_validation=False).serialize_to_request(params, operation))
    uri = placeholders(operation, request.path) if protocol == "rest-json" else {}
    assert text(wire.protocol(protocol).parse(operation, request, uri)) == params, name


def check_answer(service, name, sampler):
    model = spec.load(service)
    operation = model.operation_model(name)
    if operation.has_event_stream_output:
        return
    answer = sampler.sample(operation.output_shape) if operation.output_shape else {}
    protocol = model.metadata["protocol"]
    reply = wire.protocol(protocol).answer(operation, {**answer, "NotInTheModel": 1}, "rid-1")
    response = sent(reply)
    if operation.has_streaming_output:
        response["body"] = io.BytesIO(reply.body)
    parsed = create_parser(protocol).parse(response, operation.output_shape)
    metadata = parsed.pop("ResponseMetadata")
    assert text(parsed) == answer, name
    assert metadata["RequestId"] == "rid-1"
    assert operation.output_shape is not None or reply.body == b""


@pytest.mark.parametrize(("service", "names"), BY_SERVICE, ids=spec.SERVICES)
@pytest.mark.parametrize("everything", [True, False])
def test_what_botocore_sends_we_read(service, names, everything):
    for name in names:
        check_request(service, name, Sampler(name, everything))


@pytest.mark.parametrize(("service", "names"), BY_SERVICE, ids=spec.SERVICES)
@pytest.mark.parametrize("everything", [True, False])
def test_what_we_answer_botocore_reads(service, names, everything):
    for name in names:
        check_answer(service, name, Sampler(name, everything))


@pytest.mark.parametrize(("service", "names"), BY_SERVICE, ids=spec.SERVICES)
def test_every_modelled_error_arrives_with_its_code_status_and_members(service, names):
    model = spec.load(service)
    protocol = model.metadata["protocol"]
    speaker = wire.protocol(protocol)
    for name in names:
        operation = model.operation_model(name)
        for shape in operation.error_shapes:
            members = Sampler(name).sample(shape)
            members = {k: v for k, v in members.items() if k.lower() != "message"}
            error = CallerFault("What was wrong.", code=shape.name, **members)
            reply = speaker.fault(error, operation, "rid-2")
            parsed = create_parser(protocol).parse(sent(reply), operation.output_shape)
            modelled = create_parser(protocol).parse(sent(reply), shape)
            assert parsed["Error"]["Code"] == shape.name
            assert parsed["Error"]["Message"] == "What was wrong."
            assert reply.status == shape.metadata.get("error", {}).get("httpStatusCode", 400)
            assert parsed["ResponseMetadata"]["RequestId"] == "rid-2"
            for member, value in members.items():
                assert modelled[member] == value, (name, shape.name)


@pytest.mark.parametrize("protocol", ["json", "rest-json"])
@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        (NotBuilt("CreateSpace is not built."), 501, "NotImplementedException", "CreateSpace is not built."),
        (ZeroDivisionError("secret"), 500, "InternalFailure", "fault in Sagelet"),
        (CallerFault("No such thing.", code="UnknownOperationException"), 404, "UnknownOperationException", "No such"),
        (CallerFault("Busy.", code="ServiceUnavailable"), 503, "ServiceUnavailable", "Busy."),
        (CallerFault("Bad.", code="ValidationException"), 400, "ValidationException", "Bad."),
    ],
)
def test_errors_that_no_operation_models(protocol, error, status, code, words):
    reply = wire.protocol(protocol).fault(error, None, "rid-3")
    parsed = create_parser(protocol).parse(sent(reply), None)
    assert (reply.status, parsed["Error"]["Code"]) == (status, code)
    assert words in parsed["Error"]["Message"] and "secret" not in parsed["Error"]["Message"]


def stream_of(events):
    operation = spec.load("sagemaker-runtime").operation_model("InvokeEndpointWithResponseStream")
    reply = wire.protocol("rest-json").answer(operation, {"Body": events, "ContentType": "text/plain"}, "rid-4")
    assert reply.headers["Content-Type"] == "application/vnd.amazon.eventstream"
    assert reply.headers["X-Amzn-SageMaker-Content-Type"] == "text/plain"
    buffer = EventStreamBuffer()
    for chunk in reply.body:
        buffer.add_data(chunk)
    return [message.to_response_dict() for message in buffer]


def test_an_event_stream_is_read_by_botocore():
    parts = [b"one", b"\x00\xff", b""]
    messages = stream_of(iter([{"PayloadPart": {"Bytes": part}} for part in parts]))
    assert [m["body"] for m in messages] == parts
    assert messages[0]["headers"][":event-type"] == "PayloadPart"
    assert messages[0]["headers"][":message-type"] == "event"


@pytest.mark.parametrize(
    ("error", "kind", "name"),
    [
        (
            CallerFault("Too slow.", code="ModelStreamError", ErrorCode="StreamBroken"),
            ":exception-type",
            "ModelStreamError",
        ),
        (RuntimeError("bug"), ":error-code", "InternalFailure"),
    ],
)
def test_an_error_in_the_middle_of_a_stream_is_its_last_message(error, kind, name):
    def events():
        yield {"PayloadPart": {"Bytes": b"first"}}
        raise error

    first, last = stream_of(events())
    assert first["body"] == b"first"
    assert last["headers"][kind] == name
    assert last["status_code"] == 400
    if kind == ":exception-type":
        assert b'"ErrorCode":"StreamBroken"' in last["body"] and b'"Message":"Too slow."' in last["body"]
