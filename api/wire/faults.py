"""Errors as JSON, with the HTTP status that belongs to each code. The only place that knows status codes.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html; `Message` as modelled exceptions have
it and `message` as the others do: clients in different languages look for different ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, StructureShape

from api.wire import values
from emulator.errors import CallerFault, NotBuilt

STATUS: Mapping[str, int] = {
    "AccessDeniedException": 400,
    "InternalFailure": 500,
    "NotImplementedException": 501,
    "RequestEntityTooLargeException": 413,
    "RequestTimeoutException": 408,
    "ServiceUnavailable": 503,
    "UnknownOperationException": 404,
    "ForbiddenException": 403,
    "InsufficientStorage": 507,
}
"""Status of codes that an operation does not model; every other one is the caller's fault: 400."""

APOLOGY = "The request could not be served because of a fault in Sagelet itself. Its log tells more."


def describe(error: Exception) -> tuple[str, str, Mapping[str, Any]]:
    """Code, message and further members of any exception. What was not raised on purpose stays unnamed."""
    if isinstance(error, CallerFault):
        return error.code, error.message, error.members
    if isinstance(error, NotBuilt):
        return error.code, error.message, {}
    return "InternalFailure", APOLOGY, {}


def shape_of(code: str, operation: OperationModel | None) -> StructureShape | None:
    """The model's own shape for this code, where the operation lists one."""
    for shape in operation.error_shapes if operation is not None else ():
        if code in (shape.name, shape.error_code):
            return shape
    return None


def status(code: str, operation: OperationModel | None) -> int:
    """The HTTP status of a code."""
    shape = shape_of(code, operation)
    modelled = shape.metadata.get("error", {}).get("httpStatusCode") if shape is not None else None
    return int(modelled or STATUS.get(code, 400))


def document(error: Exception, operation: OperationModel | None) -> dict[str, Any]:
    """The JSON body of an error."""
    code, message, members = describe(error)
    body: dict[str, Any] = {"__type": code, "message": message, "Message": message}
    shape = shape_of(code, operation)
    known = values.write(shape, members) if shape is not None else {}
    return {**body, **{k: v for k, v in members.items() if isinstance(v, (str, int, float))}, **known}
