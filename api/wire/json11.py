"""AWS JSON 1.1: everything is one JSON object in the body of a POST; the operation is named in X-Amz-Target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from api.wire import WireReply, WireRequest, faults, values
from emulator.call import Answer
from emulator.errors import CallerFault

CONTENT_TYPE = "application/x-amz-json-1.1"

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of a request. The largest member of the control plane (a pipeline definition) has 1 MiB."""


def parse(operation: OperationModel, request: WireRequest, uri_params: Mapping[str, str]) -> dict[str, Any]:
    """The input members of a request."""
    document = values.load_object(read_limited(request, BODY_LIMIT))
    return values.members(operation.input_shape, document) if operation.input_shape is not None else {}


def answer(operation: OperationModel, answer: Answer, request_id: str) -> WireReply:
    """The reply of a call that succeeded: an operation without output answers nothing at all."""
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id}
    if operation.output_shape is None:
        return WireReply(200, headers)
    return WireReply(200, headers, values.dumps(values.write(operation.output_shape, answer)))


def fault(error: Exception, operation: OperationModel | None, request_id: str) -> WireReply:
    """The reply of a call that failed."""
    document = faults.document(error, operation)
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id}
    return WireReply(faults.status(document["__type"], operation), headers, values.dumps(document))


def read_limited(request: WireRequest, limit: int) -> bytes:
    """The whole body, of which no more than `limit` bytes are ever held in memory."""
    body = request.body.read(limit + 1)
    if len(body) > limit:
        message = f"The request body is larger than {limit} bytes."
        raise CallerFault(message, code="RequestEntityTooLargeException")
    return body
