"""Bytes <-> parameters and answers, by the service model alone. No SageMaker knowledge, no Flask, no dispatch.

A protocol is a module with the three functions of `Protocol`. Parsing raises `emulator.errors.CallerFault` for what
the caller wrote wrongly (code `SerializationException`); everything else that is raised is a bug of ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast
from typing import Protocol as TypingProtocol

from botocore.model import OperationModel

from emulator.call import Answer


@dataclass(frozen=True)
class WireRequest:
    """An HTTP request. `path` is still percent-encoded; `query` is decoded and keeps repeated names, `raw_query` is
    as it came; header names are lower case; `body` ends where the request's body ends, however that is told.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: BinaryIO
    raw_query: str = ""


@dataclass(frozen=True)
class WireReply:
    """An HTTP reply. An iterable body is sent as it comes (with `content-length` in the headers where it is known)
    and closed afterwards when it has a `close`.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""


class Protocol(TypingProtocol):
    """What a module of this room offers."""

    def parse(self, operation: OperationModel, request: WireRequest, uri_params: Mapping[str, str]) -> dict[str, Any]:
        """The input members by their wire names; `uri_params` are the path's placeholders, percent-decoded."""
        ...

    def answer(self, operation: OperationModel, answer: Answer, request_id: str) -> WireReply:
        """The reply of a call that succeeded. Members that are None or not in the model are left out."""
        ...

    def fault(self, error: Exception, operation: OperationModel | None, request_id: str) -> WireReply:
        """The reply of a call that did not; `operation` is None when it was not even recognised."""
        ...


PROTOCOLS: Mapping[str, str] = {
    "json": "api.wire.json11",
    "rest-json": "api.wire.restjson",
    "rest-xml": "api.wire.restxml",
}
"""botocore's name of a protocol -> the module that speaks it."""


def protocol(name: str) -> Protocol:
    """The module for a protocol, imported at first use."""
    return cast(Protocol, importlib.import_module(PROTOCOLS[name]))
