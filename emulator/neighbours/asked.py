"""What a request asks for: service, operation and protocol, read from the bytes without any service model."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from emulator import naming
from emulator.call import Scope
from emulator.errors import CallerFault
from emulator.neighbours import cbor
from emulator.neighbours.http import HttpRequest

JSON = "json"
QUERY = "query"
CBOR = "cbor"
REST = "rest"

KEPT_HEADERS = ("host", "content-type", "x-amz-target", "x-amzn-query-mode", "x-amz-invocation-type")
"""The headers that decide what moto answers; all others (signatures, agents, traces) are dropped."""

MOST = 128 * 1024 * 1024
SMALL = 64 * 1024
"""Bytes of a body that is read once more only to say what it is about."""

_CBOR_PATH = re.compile(r"^/service/(?P<prefix>[^/]+)/operation/(?P<operation>[A-Za-z0-9]+)$")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


@dataclass(frozen=True)
class Asked:
    """A request as the neighbours pass it around, and as the journal keeps it. `operation` is empty for REST
    requests until moto's router has named it. A CBOR request is a JSON one here, but answered in CBOR."""

    service: str
    operation: str
    protocol: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    scope: Scope
    access_key: str = ""

    def params(self) -> dict[str, Any]:
        """The input members: of a JSON body, or flat by their dotted names of a query body."""
        if self.protocol == QUERY:
            text = self.body.decode("utf-8", "replace")
            fields = {**parse_qs(self.query, True), **parse_qs(text, True)}
            return {name: values[0] for name, values in fields.items()}
        try:
            found = json.loads(self.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise CallerFault(f"The body is not JSON: {error}", "SerializationException") from error
        if not isinstance(found, dict):
            raise CallerFault("The body is not a JSON object.", "SerializationException")
        return found

    def subject(self) -> str:
        """What the request is about, for people; empty where that is not easily said."""
        if self.protocol == REST:
            return naming.short(unquote(self.path.rstrip("/").rpartition("/")[2]))
        try:
            params = self.params() if len(self.body) <= SMALL else {}
        except CallerFault:
            return ""
        return naming.subject(naming.candidates(self.operation, params), params)

    def with_params(self, **changes: Any) -> Asked:
        """The same request with members of its JSON body changed."""
        return replace(self, body=json.dumps({**self.params(), **changes}).encode())

    def as_operation(self, operation: str, members: Mapping[str, Any]) -> Asked:
        """Another JSON request to the same service, by the same caller."""
        target = f"{self.headers['x-amz-target'].rpartition('.')[0]}.{operation}"
        headers = {**self.headers, "x-amz-target": target}
        return replace(self, operation=operation, headers=headers, body=json.dumps(members).encode())


def read_protocol(request: HttpRequest) -> str:
    """Which protocol a request speaks: enough to word a fault, whatever else is wrong with it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return CBOR
    if "x-amz-target" in headers:
        return JSON
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or "Action=" in request.query:
        return QUERY
    return REST


def understand(request: HttpRequest) -> Asked:
    """The request in the form that everything here works with; `SerializationException` for a broken body."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = request.body if isinstance(request.body, bytes) else request.body.read()
    if headers.get("content-encoding", "") == "gzip":
        body = _unzip(body)
    asked = Asked(
        service=request.service,
        operation="",
        protocol=read_protocol(request),
        method=request.method,
        path=request.path or "/",
        query=request.query,
        headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
        body=body,
        scope=request.scope,
        access_key=_access_key(headers, request.query),
    )
    if asked.protocol == CBOR:
        return _from_cbor(asked)
    if asked.protocol == JSON and not asked.headers.get("content-type"):
        asked = replace(asked, headers={**asked.headers, "content-type": "application/x-amz-json-1.0"})
    return replace(asked, operation=_operation(asked))


def internal(service: str, operation: str, scope: Scope, fields: Mapping[str, str] = {}) -> Asked:
    """A query request of our own, as a client of `scope` would make it."""
    headers = {"host": f"{service}.amazonaws.com", "content-type": "application/x-www-form-urlencoded"}
    body = urlencode({"Action": operation, **fields}).encode()
    return Asked(service, operation, QUERY, "POST", "/", "", headers, body, scope)


def internal_json(service: str, target: str, scope: Scope, members: Mapping[str, Any]) -> Asked:
    """A JSON request of our own; `target` is what X-Amz-Target says of the operation."""
    headers = {
        "host": f"{service}.amazonaws.com",
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": target,
    }
    operation = target.rpartition(".")[2]
    return Asked(service, operation, JSON, "POST", "/", "", headers, json.dumps(members).encode(), scope)


def _operation(asked: Asked) -> str:
    if asked.protocol == JSON:
        return asked.headers["x-amz-target"].rpartition(".")[2]
    if asked.protocol == QUERY:
        return str(asked.params().get("Action", ""))
    return ""


def _access_key(headers: Mapping[str, str], query: str) -> str:
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    if found:
        return found.group(1)
    presigned = parse_qs(query).get("X-Amz-Credential", [""])[0]
    return unquote(presigned).partition("/")[0]


def _unzip(body: bytes) -> bytes:
    try:
        machine = zlib.decompressobj(31)
        plain = machine.decompress(body, MOST)
    except zlib.error as error:
        raise CallerFault(f"The body is not gzip: {error}", "SerializationException") from error
    if machine.unconsumed_tail:
        raise CallerFault(f"The body unpacks to more than {MOST} bytes.", "RequestEntityTooLargeException")
    return plain


def _from_cbor(asked: Asked) -> Asked:
    found = _CBOR_PATH.match(asked.path)
    if not found:
        raise CallerFault(f"{asked.path} names no operation.", "UnknownOperationException")
    try:
        body = json.dumps(cbor.decode(asked.body) if asked.body else {}, default=_blob).encode()
    except (cbor.Malformed, TypeError) as error:
        raise CallerFault(f"The body is not CBOR: {error}", "SerializationException") from error
    target = f"{found['prefix']}.{found['operation']}"
    headers = {**asked.headers, "content-type": "application/x-amz-json-1.0", "x-amz-target": target}
    return replace(asked, operation=found["operation"], path="/", headers=headers, body=body)


def _blob(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} in the body")
