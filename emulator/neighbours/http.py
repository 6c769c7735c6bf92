"""An HTTP exchange as plain values: what the front door hands to the neighbours, and what it gets back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from emulator.call import Scope


@dataclass(frozen=True)
class HttpRequest:
    """A request for one of the other services. `service` is the signing name (`monitoring` is CloudWatch); `path`
    is still percent-encoded and `query` raw, as they arrived; `scope` is what the credentials say.
    """

    service: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: BinaryIO | bytes
    scope: Scope


@dataclass(frozen=True)
class HttpReply:
    """The answer to send: one value per header name. `operation` and `subject` say what was asked, as far as that
    was understood; they are not sent.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] = b""
    operation: str = ""
    subject: str = ""
