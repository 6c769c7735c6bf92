"""Every operation of every SageMaker service, asked of a real server: an answer or a typed error, nothing else."""

from __future__ import annotations

import http.client
import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from emulator import spec
from sagelet.server import Server
from tests.kinds.samples import least, sample

FAMILIAR = {"ValidationException", "NotImplementedException", "SerializationException", "ValidationError"}
"""Codes that the service sends without modelling them for the operation (platform facts: docs/quirks.md)."""

SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


class Wire:
    """Requests without any SDK: what is sent, and what came back as it came."""

    def __init__(self, server: Server):
        self.connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)

    def close(self) -> None:
        self.connection.close()

    def ask(self, service: str, operation: Any, params: dict[str, Any] | None) -> tuple[int, dict[str, str], bytes]:
        """The reply to an operation; None sends nothing at all in the body."""
        model = spec.load(service)
        serializer = create_serializer(model.metadata["protocol"], include_validation=False)
        made = serializer.serialize_to_request(params or least(operation.input_shape), operation)
        url = "http://localhost" + made["url_path"]
        sent = AWSRequest(made["method"], url, made["headers"], made["body"], made["query_string"]).prepare()
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in sent.headers.items()}
        headers["Authorization"] = SIGNED.format(model.signing_name)
        path, body = sent.url.removeprefix("http://localhost"), sent.body
        if params is None:
            body = None
            headers.pop("Content-Length", "")
        self.connection.request(sent.method, path, body, headers)
        reply = self.connection.getresponse()
        return reply.status, dict(reply.headers), reply.read()


@pytest.fixture
def wire(stub_server):
    made = Wire(stub_server)
    yield made
    made.close()


def judge(service: str, operation: Any, status: int, headers: dict[str, str], body: bytes) -> str:
    """What is wrong with a reply, or ""."""
    if b"<html" in body.lower() or b"Traceback" in body:
        return f"{status}: {body[:200]!r}"
    if operation.has_event_stream_output and status == 200:
        return ""
    response = {"status_code": status, "headers": http.client.HTTPMessage(), "body": body}
    for name, value in headers.items():
        response["headers"][name] = value
    protocol = spec.load(service).metadata["protocol"]
    parsed = create_parser(protocol).parse(response, operation.output_shape)
    if status < 300:
        return "" if "Error" not in parsed else f"an error with status {status}"
    document = json.loads(body)
    error, modelled = parsed["Error"], {shape.name for shape in operation.error_shapes}
    if error["Code"] not in FAMILIAR | modelled or not error["Message"] or not document["__type"]:
        return f"{status} {error}"
    return "" if status < 500 or status == 501 else f"{status} {error}"


@pytest.mark.parametrize("service", spec.SERVICES)
@pytest.mark.parametrize("asked", ["least", "everything", "nothing"])
def test_a_raw_request_gets_an_answer_or_a_typed_error(wire, service, asked):
    wrong: dict[str, str] = {}
    model = spec.load(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        params = {"least": least, "everything": sample, "nothing": lambda shape: None}[asked](operation.input_shape)
        problem = judge(service, operation, *wire.ask(service, operation, params))
        if problem:
            wrong[name] = problem
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())


@pytest.mark.parametrize("service", spec.SERVICES)
def test_boto3_gets_an_answer_or_a_typed_error(stub_server, service):
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=True, inject_host_prefix=False)
    session = boto3.Session("test", "test", region_name="us-east-1")
    client = session.client(service, endpoint_url=stub_server.url, config=config)
    wrong = {}
    for method, name in client.meta.method_to_api_mapping.items():
        operation = client.meta.service_model.operation_model(name)
        try:
            getattr(client, method)(**least(operation.input_shape))
        except ClientError as error:
            told, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            typed = type(error) is not ClientError or told["Code"] in FAMILIAR
            if not typed or not told["Message"] or (status >= 500 and status != 501):
                wrong[name] = f"{status} {told}"
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())
