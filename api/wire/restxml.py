"""The rest-xml protocol, as S3 speaks it: members in path, query, headers and XML or raw bodies; faults as XML.

An answer may carry `ResponseMetadata` as boto3 shows it (`HTTPStatusCode`, `HTTPHeaders`), for what the model cannot
say: 206 for a range, headers of an empty document. A fault may carry `Headers` among its members.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape, StructureShape

from api.wire import WireReply, WireRequest, presigned, xmlbody
from emulator.call import Answer
from emulator.errors import CallerFault, NotBuilt, SageletError

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LARGEST_DOCUMENT = 4 * 1024 * 1024
"""10,000 parts, or 1,000 deletes with the longest keys, fit in."""

ROOTS: Mapping[str, str] = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListParts": "ListPartsResult",
}
"""Names of root elements that botocore's model does not have (AWS's API reference); Rust and C++ clients check them."""

_ILLEGIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""

UNWRAPPED = {"GetBucketLocation": "LocationConstraint"}
"""Documents whose root is the member itself."""

STATUSES: Mapping[str, int] = {
    **dict.fromkeys(("AccessDenied", "InvalidObjectState", "SignatureDoesNotMatch", "RequestTimeTooSkewed"), 403),
    **dict.fromkeys(("NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NoSuchVersion", "NotFound"), 404),
    **dict.fromkeys(("BucketAlreadyExists", "BucketAlreadyOwnedByYou", "BucketNotEmpty", "OperationAborted"), 409),
    **dict.fromkeys(("InvalidBucketState", "ConditionalRequestConflict"), 409),
    "NotModified": 304,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "PreconditionFailed": 412,
    "InvalidRange": 416,
    "InternalError": 500,
    "NotImplemented": 501,
    "SlowDown": 503,
    "ServiceUnavailable": 503,
    "InsufficientStorage": 507,
}
"""Fault code -> HTTP status; codes of missing sub-resources (`NoSuch...`, `...NotFoundError`) are 404, others 400."""


# --- parse -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """Where the members of a shape are: wire name -> (member name, shape)."""

    query: Mapping[str, tuple[str, Shape]]
    header: Mapping[str, tuple[str, Shape]]
    prefixes: Mapping[str, str]
    payload: str
    body: tuple[str, ...]
    shape: StructureShape | None


def parse(operation: OperationModel, request: WireRequest, uri_params: Mapping[str, str]) -> dict[str, Any]:
    """The input members by their wire names; a streaming body is handed on unread."""
    presigned.check(request.query)
    plan = _plan(operation, False)
    found: dict[str, Any] = dict(uri_params)
    for name, values in request.query.items():
        if name in plan.query:
            member, shape = plan.query[name]
            found[member] = values if shape.type_name == "list" else _read(values[0], shape, name)
    for name, text in _headers(request):
        if name in plan.header:
            member, shape = plan.header[name]
            _set(found, member, _read(text, shape, name))
            continue
        for prefix, member in plan.prefixes.items():
            if name.startswith(prefix):
                found.setdefault(member, {})[name[len(prefix) :]] = text
    _parse_body(plan, request, found)
    return found


def _headers(request: WireRequest) -> list[tuple[str, str]]:
    """The headers; and of a presigned URL also those that its maker moved into the query."""
    found = list(request.headers.items())
    if "X-Amz-Signature" in request.query or "Signature" in request.query:
        lower = ((name.lower(), values[0]) for name, values in request.query.items())
        found += [(name, text) for name, text in lower if name.startswith("x-amz-") and name not in request.headers]
    return found


def _set(found: dict[str, Any], member: str, value: Any) -> None:
    if value is not None:
        found[member] = value


def _parse_body(plan: _Plan, request: WireRequest, found: dict[str, Any]) -> None:
    if plan.shape is None or not (plan.payload or plan.body):
        return
    shape: Shape = plan.shape.members[plan.payload] if plan.payload else plan.shape
    if shape.type_name == "blob" and shape.serialization.get("streaming"):
        found[plan.payload] = request.body
        return
    document = request.body.read(LARGEST_DOCUMENT + 1)
    if len(document) > LARGEST_DOCUMENT:
        raise CallerFault("Your request was too big.", "MaxMessageLengthExceeded")
    if not document.strip():
        if plan.payload in plan.shape.required_members:
            raise CallerFault("Request body is empty.", "MissingRequestBodyError")
    elif isinstance(shape, StructureShape):
        _add_document(plan, document, found)
    else:
        found[plan.payload] = document if shape.type_name == "blob" else document.decode("utf-8", "replace")


def _add_document(plan: _Plan, document: bytes, found: dict[str, Any]) -> None:
    assert plan.shape is not None
    if plan.payload:
        found[plan.payload] = xmlbody.read(document, plan.shape.members[plan.payload])
    else:
        found.update(xmlbody.read(document, plan.shape, plan.body))


def _read(text: str, shape: Shape, name: str) -> Any:
    """A value from a header or the query. Times that do not parse are as good as absent (RFC 9110, section 13.1.3)."""
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "boolean":
                return text.strip().lower() in ("true", "1", "")
            case "timestamp":
                return _read_time(text)
            case "list":
                return [part.strip() for part in text.split(",") if part.strip()]
            case _:
                return text
    except ValueError as broken:
        raise CallerFault(
            f"Provided {name} not an integer or within integer range",
            "InvalidArgument",
            ArgumentName=name,
            ArgumentValue=text,
        ) from broken


def _read_time(text: str) -> datetime | None:
    try:
        return xmlbody.read_time(text.strip())
    except ValueError:
        return None


# --- answer ------------------------------------------------------------------------------------------------------


def answer(operation: OperationModel, answer: Answer, request_id: str) -> WireReply:
    """The reply of a call that succeeded."""
    plan = _plan(operation, True)
    meta: Mapping[str, Any] = answer.get("ResponseMetadata") or {}
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": request_id}
    for wire, (member, shape) in plan.header.items():
        if answer.get(member) is not None:
            headers[wire] = _write(answer[member], shape)
    for prefix, member in plan.prefixes.items():
        headers.update({prefix + name: str(text) for name, text in (answer.get(member) or {}).items()})
    body, kind = _answer_body(operation.name, plan, answer)
    if kind:
        headers.setdefault("content-type", kind)
    headers.update(meta.get("HTTPHeaders") or {})
    status = meta.get("HTTPStatusCode") or operation.http.get("responseCode", 200)
    return WireReply(status, headers, body)


def _answer_body(name: str, plan: _Plan, answer: Answer) -> tuple[Any, str]:
    if plan.shape is None or not (plan.payload or plan.body):
        return b"", ""
    if name in UNWRAPPED:
        text = xmlbody.escape(answer.get(UNWRAPPED[name]) or "")
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<{ROOTS[name]} xmlns="{NAMESPACE}">{text}</{ROOTS[name]}>'
        return document.encode(), "application/xml"
    if not plan.payload:
        root = ROOTS.get(name, plan.shape.name)
        inner = xmlbody.members(plan.shape, answer, plan.body)
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{inner}</{root}>'
        return document.encode("utf-8", "surrogateescape"), "application/xml"
    value, shape = answer.get(plan.payload), plan.shape.members[plan.payload]
    if value is None:
        return b"", ""
    if shape.type_name == "structure":
        root = shape.serialization.get("name", plan.payload)
        return xmlbody.write(root, shape, value, NAMESPACE), "application/xml"
    return (value.encode() if isinstance(value, str) else value), ""


def _write(value: Any, shape: Shape) -> str:
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return value if isinstance(value, str) else _write_time(value, shape)
        case "list":
            return ", ".join(str(item) for item in value)
        case _:
            return str(value)


def _write_time(value: Any, shape: Shape) -> str:
    if shape.serialization.get("timestampFormat") == "iso8601":
        return xmlbody.write_iso(value)
    return xmlbody.write_http(value)


# --- fault -------------------------------------------------------------------------------------------------------


def fault(error: Exception, operation: OperationModel | None, request_id: str) -> WireReply:
    """The reply of a call that did not succeed; without a document where HTTP forbids one (HEAD, 304)."""
    code, message, members = _story(error)
    status = _status(code)
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": request_id, **members.pop("Headers", {})}
    head = operation is not None and operation.http["method"] == "HEAD"
    if head or status == 304:
        return WireReply(status, headers, b"")
    entries = {"Code": code, "Message": message, **members, "RequestId": request_id, "HostId": request_id}
    inner = "".join(f"<{name}>{xmlbody.escape(_legible(value))}</{name}>" for name, value in entries.items())
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    headers["content-type"] = "application/xml"
    return WireReply(status, headers, document.encode())


def _legible(value: object) -> str:
    """What an error repeats of a request may be no text for XML; a client that cannot read the error sees none."""
    return _ILLEGIBLE.sub("\ufffd", str(value))


def _story(error: Exception) -> tuple[str, str, dict[str, Any]]:
    if isinstance(error, CallerFault):
        return error.code, error.message, dict(error.members)
    if isinstance(error, NotBuilt):
        return "NotImplemented", error.message, {}
    known = error.args[0] if isinstance(error, SageletError) and error.args else ""
    return "InternalError", str(known or "We encountered an internal error. Please try again."), {}


def _status(code: str) -> int:
    if code in STATUSES:
        return STATUSES[code]
    return 404 if code.startswith("NoSuch") or code.endswith(("NotFoundError", "NotFound")) else 400


# --- plans -------------------------------------------------------------------------------------------------------


@cache
def _plan(operation: OperationModel, output: bool) -> _Plan:
    shape = operation.output_shape if output else operation.input_shape
    query: dict[str, tuple[str, Shape]] = {}
    header: dict[str, tuple[str, Shape]] = {}
    prefixes: dict[str, str] = {}
    body: list[str] = []
    payload = shape.serialization.get("payload", "") if shape else ""
    for name, member in shape.members.items() if shape else ():
        traits = member.serialization
        wire = traits.get("name", name)
        match traits.get("location"):
            case "querystring":
                query[wire] = (name, member)
            case "header":
                header[wire.lower()] = (name, member)
            case "headers":
                prefixes[wire.lower()] = name
            case None if name != payload:
                body.append(name)
    return _Plan(query, header, prefixes, payload, tuple(body), shape)
