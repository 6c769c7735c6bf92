"""One connection to a model server: a request goes out, the answer's head comes in, then its body.

Not `http.client`, which makes a message of the `email` package of every head: that took a third of what the house does
for an invocation. Headers are values of a program that need not be ours: lines may end as they like.
"""

from __future__ import annotations

import io
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from emulator.ports import Address

LINE = 64 * 1024
LINES = 200
PIECE = 64 * 1024


@dataclass(frozen=True)
class Request:
    """What a model server is asked."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] | None = None


class NotHttp(ConnectionError):
    """What came is no answer."""


class Connection:
    """Asks one request after the other. OSError, or TimeoutError, for what goes wrong: it is to be closed then."""

    def __init__(self, address: Address, timeout: float) -> None:
        self._socket = _connected(address, timeout)
        self._file = io.BufferedReader(_Incoming(self._socket))
        self._timeout = 0.0

    def ask(self, request: Request, timeout: float) -> Answer:
        """Send a request; the answer when its head is there."""
        if timeout != self._timeout:
            _limit(self._socket, timeout)
            self._timeout = timeout
        self._send(_written(request), request.body, timeout)
        return Answer(self._file)

    def _send(self, head: bytes, body: bytes, timeout: float) -> None:
        """All of it within `timeout` seconds, which the kernel counts anew for each piece."""
        end = time.monotonic() + timeout
        try:
            self._socket.sendall(head + body[:PIECE])
            for at in range(PIECE, len(body), PIECE):
                if time.monotonic() > end:
                    raise _silence()
                self._socket.sendall(body[at : at + PIECE])
        except BlockingIOError:
            raise _silence() from None

    def close(self) -> None:
        """Let go of it."""
        self._file.close()
        self._socket.close()


class _Incoming(io.RawIOBase):
    """What comes by a socket whose patience the kernel keeps."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._socket.recv_into(buffer)
        except BlockingIOError:
            raise _silence() from None


class Answer:
    """An answer whose body is yet to be read, to its end, before the connection can be used again."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        version, self.status = _status(file)
        self.headers = _headers(file)
        while 100 <= self.status < 200:
            version, self.status = _status(file)
            self.headers = _headers(file)
        said = self.headers.get("connection", "").lower()
        self._length = _length(self.status, self.headers)
        kept = "close" not in said and (version != b"HTTP/1.0" or "keep-alive" in said)
        self.stays = kept and self._length is not None
        """Whether the connection can be used again."""

    def body(self) -> bytes:
        """All of it."""
        if self._length is None:
            return self._file.read()
        if self._length >= 0:
            found = self._file.read(self._length)
            if len(found) < self._length:
                raise NotHttp(f"{len(found)} of {self._length} bytes came")
            return found
        return b"".join(self._chunks())

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes."""
        if self._length is None:
            while piece := _some(self._file, PIECE):
                yield piece
        elif self._length >= 0:
            yield from self._part(self._length)
        else:
            yield from self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        while size := self._size():
            yield from self._part(size)
            self._file.readline(LINE)
        while self._file.readline(LINE).strip():
            pass  # Trailers.

    def _size(self) -> int:
        line = self._file.readline(LINE)
        try:
            return int(line.partition(b";")[0], 16)
        except ValueError:
            raise NotHttp(f"{line[:20]!r} is no size of a chunk") from None

    def _part(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = _some(self._file, min(size, PIECE))
            if not piece:
                raise NotHttp(f"{size} bytes are missing")
            size -= len(piece)
            yield piece


CHUNKED = -1


def _length(status: int, headers: Mapping[str, str]) -> int | None:
    """Bytes of the body, CHUNKED, or None when it ends with the connection."""
    if status in (204, 304):
        return 0
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return CHUNKED
    told = headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() else None


def _some(file: BinaryIO, size: int) -> bytes:
    """What has come, and at least a byte of it; nothing at the end."""
    found: bytes = file.read1(size)  # type: ignore[attr-defined]
    return found


def _status(file: BinaryIO) -> tuple[bytes, int]:
    line = file.readline(LINE)
    if not line:
        raise ConnectionResetError("Remote end closed connection without response")
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    if not version.startswith(b"HTTP/") or not code.isdigit():
        raise NotHttp(f"{line[:80]!r} is no answer of HTTP")
    return version, int(code)


def _headers(file: BinaryIO) -> dict[str, str]:
    """By names in lower case; of those that come twice the last one counts."""
    found: dict[str, str] = {}
    for _ in range(LINES):
        line = file.readline(LINE)
        if line in (b"\r\n", b"\n"):
            return found
        if not line:
            break
        name, _, value = line.decode("latin-1").partition(":")
        found[name.strip().lower()] = value.strip()
    raise NotHttp("the headers do not end")


def _limit(sock: socket.socket, seconds: float) -> None:
    """How long each call of the system waits for the other side.

    The kernel keeps the time: a timeout of Python's is a call of the system before each other one, and at each of them
    the interpreter goes to another thread that waits for it. Eight clients of a quick model get a tenth more so.
    """
    sock.settimeout(None)
    span = struct.pack("@ll", *divmod(max(1, round(seconds * 1_000_000)), 1_000_000))  # 0 would be for ever
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, span)


def _silence() -> TimeoutError:
    """The kernel says of a call whose time is up what it says of one that was not to wait."""
    return TimeoutError("timed out")


def _written(request: Request) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", "Host: localhost", "Accept-Encoding: identity"]
    if request.method != "GET":
        lines.append(f"Content-Length: {len(request.body)}")
    for name, value in (request.headers or {}).items():
        lines.append(f"{name}: {' '.join(value.splitlines())}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _connected(address: Address, timeout: float) -> socket.socket:
    if address.socket:
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(timeout)
        try:
            found.connect(address.socket)
        except BaseException:
            found.close()
            raise
        return found
    found = socket.create_connection((address.host, address.port), timeout)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found
