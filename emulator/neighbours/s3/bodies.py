"""What a client uploads: read piece by piece, unwrapped (aws-chunked), hashed, compared with what it promised."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from emulator.call import Call
from emulator.errors import CallerFault
from emulator.neighbours.s3 import checksums, faults
from emulator.neighbours.s3.chunked import Unchunked
from emulator.neighbours.s3.service import S3
from emulator.storage.shelf import Content

LARGEST = 5 * 1024**3
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Received:
    """A body that arrived whole: its content, and its checksums by algorithm."""

    content: Content
    checks: Mapping[str, str]


@contextmanager
def receive(s3: S3, call: Call, algorithm: str = "") -> Iterator[Received]:
    """The body of a call as content that waits for its object; gone again unless the block makes one of it.

    `algorithm` is computed besides those that the caller sends a value of.
    """
    promised = checksums.sent(call.params)
    chunked = _is_chunked(call)
    stream: Any = call.params.get("Body", b"")
    source: BinaryIO = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    unwrapped = Unchunked(source) if chunked else None
    length = _length(call, chunked)
    names = {*promised, *_trailing(call), algorithm, call.params.get("ChecksumAlgorithm", "")} - {""}
    hashers = {name: checksums.hasher(name) for name in names}
    sha256 = _payload_hash(call)
    if sha256:
        hashers["payload"] = hashlib.sha256()
    with s3.shelf.draft(_pieces(unwrapped or source, length, hashers)) as content:
        promised.update(_trailers(unwrapped))
        found = {name: checksums.encode(h.digest()) for name, h in hashers.items() if h and name != "payload"}
        _compare(call, content, found, promised)
        payload = hashers.get("payload")
        if payload is not None and payload.digest().hex() != sha256:
            raise CallerFault(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                "XAmzContentSHA256Mismatch",
            )
        yield Received(content, {**promised, **found})


def _is_chunked(call: Call) -> bool:
    streaming = call.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
    return streaming or "aws-chunked" in call.headers.get("content-encoding", "")


def _length(call: Call, chunked: bool) -> int | None:
    """How many bytes of object to expect; None when only the end of the body tells."""
    length = call.params.get("ContentLength")
    if chunked:
        text = call.headers.get("x-amz-decoded-content-length", "")
        length = int(text) if text.isdecimal() else None
    if length is not None and length > LARGEST:
        raise CallerFault(
            "Your proposed upload exceeds the maximum allowed size",
            "EntityTooLarge",
            ProposedSize=length,
            MaxSizeAllowed=LARGEST,
        )
    return length


def _pieces(
    source: BinaryIO | Unchunked, length: int | None, hashers: Mapping[str, checksums.Hasher | None]
) -> Iterator[bytes]:
    seen = 0
    active = [hasher for hasher in hashers.values() if hasher is not None]
    while length is None or seen < length or isinstance(source, Unchunked):
        piece = _read(source, _PIECE if length is None or isinstance(source, Unchunked) else min(_PIECE, length - seen))
        if not piece:
            break
        seen += len(piece)
        if seen > LARGEST:
            raise CallerFault("Your proposed upload exceeds the maximum allowed size", "EntityTooLarge")
        for hasher in active:
            hasher.update(piece)
        yield piece
    if length is not None and seen != length:
        raise incomplete()


def incomplete() -> CallerFault:
    """The client hung up, or sent less (or, in chunks, more) than it promised."""
    return CallerFault(
        "You did not provide the number of bytes specified by the Content-Length HTTP header", "IncompleteBody"
    )


def _read(source: BinaryIO | Unchunked, size: int) -> bytes:
    try:
        return source.read(size)
    except (ConnectionError, TimeoutError, EOFError) as gone:
        raise incomplete() from gone


def _trailing(call: Call) -> list[str]:
    text = call.headers.get("x-amz-trailer", "")
    return [name for name in checksums.ALGORITHMS if f"x-amz-checksum-{name.lower()}" in text.lower().split(",")]


def _trailers(unwrapped: Unchunked | None) -> dict[str, str]:
    found = unwrapped.trailers if unwrapped else {}
    names = {f"x-amz-checksum-{name.lower()}": name for name in checksums.ALGORITHMS}
    return {names[header]: value for header, value in found.items() if header in names}


def _payload_hash(call: Call) -> str:
    text = call.headers.get("x-amz-content-sha256", "")
    return text if len(text) == 64 else ""


def _compare(call: Call, content: Content, found: Mapping[str, str], promised: Mapping[str, str]) -> None:
    if call.params.get("ContentMD5"):
        _compare_md5(call.params["ContentMD5"], content)
    for name, value in promised.items():
        if found.get(name, value) != value:
            message = f"The {name} you specified did not match the calculated checksum."
            raise CallerFault(message, faults.BAD_DIGEST)


def _compare_md5(text: str, content: Content) -> None:
    try:
        promised = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        promised = b""
    if len(promised) != 16:
        raise CallerFault("The Content-MD5 you specified was invalid.", "InvalidDigest", **{"Content-MD5": text})
    if promised.hex() != content.etag:
        calculated = checksums.encode(bytes.fromhex(content.etag))
        raise CallerFault(
            "The Content-MD5 you specified did not match what we received.",
            faults.BAD_DIGEST,
            ExpectedDigest=text,
            CalculatedDigest=calculated,
        )
