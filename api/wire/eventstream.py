"""The encoding of event streams (application/vnd.amazon.eventstream); botocore can only decode them.

A message: total length, headers length, CRC of both; headers; payload; CRC of all before it. Numbers are big-endian.
https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.model import Shape, StructureShape

from api.wire import faults, values

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message with headers of type string."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 12 + len(packed) + len(payload) + 4, len(packed))
    head = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return head + struct.pack("!I", zlib.crc32(head))


def _header(name: str, value: str) -> bytes:
    key, content = name.encode(), value.encode()[:32767]
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(content)) + content


def encode(shape: StructureShape, events: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Each event `{name: {member: value}}` of a stream's shape as a message. An exception that the source raises
    on the way becomes the last message: the status line of the reply is long gone.
    """
    try:
        for event in events:
            for name, content in event.items():
                yield _event(name, shape.members[name], content)
    except Exception as error:
        yield failure(shape, error)
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


def _event(name: str, shape: Shape, content: Mapping[str, Any]) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    for member_name, member in shape.members.items():
        given = content.get(member_name)
        if member.serialization.get("eventheader") and given is not None:
            headers[member_name] = str(given)
        if member.serialization.get("eventpayload"):
            blob = member.type_name == "blob"
            headers[":content-type"] = "application/octet-stream" if blob else "application/json"
            payload = bytes(given or b"") if blob else values.dumps(values.write(member, given))
            return message(headers, payload)
    return message(headers, values.dumps(values.write(shape, content)))


def failure(shape: StructureShape, error: Exception) -> bytes:
    """The message that ends a stream with an error; one that the stream does not model is an `error` message."""
    code, text, members = faults.describe(error)
    if code in shape.members:
        headers = {":exception-type": code, ":content-type": "application/json", ":message-type": "exception"}
        return message(headers, values.dumps({"Message": text, **values.write(shape.members[code], members)}))
    return message({":error-code": code, ":error-message": text, ":message-type": "error"}, b"")
