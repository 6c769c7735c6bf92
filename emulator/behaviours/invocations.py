"""The data plane of endpoints: InvokeEndpoint, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import CallerFault, NotBuilt
from emulator.hosts import Invoked, InvokeRequest

PAYLOAD_LIMIT = 25 * 1024 * 1024
"""Bytes of a real-time payload: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html."""

FORWARDED = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    "TargetVariant": "X-Amzn-SageMaker-Target-Variant",
    "EnableExplanations": "X-Amzn-SageMaker-Enable-Explanations",
}
"""Members that reach the container, as headers of the container contract."""

UNSERVED = {
    "TargetContainerHostname": "inference pipelines are not served yet; leave it out.",
    "InferenceComponentName": "inference components are not served yet; leave it out.",
    "SessionId": "stateful sessions are not served yet; leave it out.",
}


def invoke_endpoint(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html."""
    invoked = rooms.hosts.invoke(_request(call))
    return {**_common(invoked, "ContentType"), "Body": invoked.reply.body}


def invoke_streaming(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html."""
    invoked = rooms.hosts.invoke_stream(_request(call))
    return {**_common(invoked, "ContentType"), "Body": _parts(invoked.chunks or iter(()))}


def _parts(chunks: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        yield {"PayloadPart": {"Bytes": chunk}}


def _common(invoked: Invoked, content_type: str) -> dict[str, Any]:
    headers = invoked.reply.headers
    answer: dict[str, Any] = {"InvokedProductionVariant": invoked.variant}
    if "content-type" in headers:
        answer[content_type] = headers["content-type"]
    if "x-amzn-sagemaker-custom-attributes" in headers:
        answer["CustomAttributes"] = headers["x-amzn-sagemaker-custom-attributes"]
    return answer


def _request(call: Call) -> InvokeRequest:
    params = call.params
    name = params["EndpointName"]
    for member, reason in UNSERVED.items():
        if params.get(member):
            raise NotBuilt(f"InvokeEndpoint with {member}: {reason}")
    if params.get("TargetModel"):
        message = f"Endpoint {name} is not a multi-model endpoint and does not support target model header."
        raise CallerFault(message, code="ValidationError")
    body = params.get("Body", b"")
    payload = body if isinstance(body, bytes) else body.read(PAYLOAD_LIMIT + 1)
    if len(payload) > PAYLOAD_LIMIT:
        raise CallerFault(f"Request {call.request_id} has oversize body.", code="ValidationError")
    headers = {header: str(params[member]) for member, header in FORWARDED.items() if params.get(member)}
    return InvokeRequest(name, payload, headers, call.scope, params.get("TargetVariant", ""))
