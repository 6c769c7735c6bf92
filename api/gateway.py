"""Between cheroot and the front door: a parsed HTTP request becomes a WireRequest, a WireReply becomes bytes.

Written for cheroot's own gateway interface instead of WSGI, which would lose the difference between `-` and `_` in
header names (S3 metadata has both) and the percent-encoding of paths. Errors of the HTTP level are JSON as well.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import select
import socket
import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import parse_qs

from cheroot.server import Gateway, HeaderReader, HTTPConnection, HTTPRequest

from api import streams
from api.app import FrontDoor
from api.body import CHUNK, ChunkedBody, KnownBody, drain
from api.wire import WireReply, WireRequest
from emulator.errors import CallerFault

log = logging.getLogger(__name__)

TLS_HANDSHAKE = b"\x16"
PLAIN_LINE = re.compile(rb"(GET|POST|PUT|HEAD|DELETE) (/(?:[\w.~-][\w./~-]*)?) HTTP/1\.1\r\n", re.ASCII)
"""A request line with nothing to be taken apart: no query, no escapes, no authority."""

LINGER_MS = 4
"""How long a worker waits for the next request of the connection that it has just served."""

HEAR_OUT_SECONDS = 0.5
"""How long what follows a malformed request is read away."""

SPEAKS_HTTP = "This port speaks plain HTTP: use http:// instead of https://."

CODES = {"403": "AccessDeniedException"}
"""Of what is refused before the front door has seen it; else the status says whose fault it is."""

_REASONS = {status.value: f"{status.value} {status.phrase}".encode() for status in HTTPStatus}


class Headers(HeaderReader):
    """Reads headers: at once where they are plain, as they nearly always are, else as cheroot does it.

    Also where the first line goes on with one that is not there (cheroot stumbles over it).
    """

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        """The headers by name; `ValueError` for what is malformed."""
        head = rfile.rfile.head()
        found = _plain(head) if head else None
        if found is not None:
            rfile.read(len(head))
            return found if hdict is None else hdict.update(found) or hdict
        try:
            return super().__call__(rfile, hdict)
        except UnboundLocalError:
            raise ValueError("The first header line is a continuation.") from None


def _plain(head: bytes) -> dict[bytes, bytes] | None:
    """Headers that have a line each and all other names; None for others, and for what is malformed."""
    found: dict[bytes, bytes] = {}
    for line in head[:-4].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name = _title(name)
        if not colon or name in found or line[0] in b" \t" or b"\n" in line:
            return None
        found[name] = value.strip()
    return found


@lru_cache(maxsize=1024)
def _title(name: bytes) -> bytes:
    return name.strip().title()


class Request(HTTPRequest):
    """A request whose own errors are typed JSON, and which recognises TLS."""

    header_reader = Headers()

    def read_request_line(self) -> bool:
        """A TLS client hello may have no line end: it is answered at once, not after a timeout."""
        seen = self.conn.rfile.peek(1)
        if seen[:1] == TLS_HANDSHAKE:
            self.simple_response("400 Bad Request", SPEAKS_HTTP)
            return False
        if plain := PLAIN_LINE.match(seen):
            self.rfile.readline()
            self.started_request = True
            self.method, self.uri = plain.groups()
            self.path, self.qs, self.authority = self.uri, b"", b""
            self.request_protocol, self.response_protocol = b"HTTP/1.1", "HTTP/1.1"
            return True
        return bool(super().read_request_line())  # type: ignore[no-untyped-call]

    def read_request_headers(self) -> bool:
        """A negative length would be read until the client hangs up."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        if self.inheaders.get(b"Content-Length", b"0").strip().startswith(b"-"):
            self.simple_response("400 Bad Request", "Malformed Content-Length Header.")
            return False
        return True

    def simple_response(self, status: str, msg: str = "") -> None:
        """What cheroot answers by itself: to malformed requests, timeouts, and faults outside of the front door."""
        self.close_connection = True
        code = CODES.get(status[:3], "InternalFailure" if status[0] == "5" else "MalformedHttpRequestException")
        message = msg or status[4:]
        body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nx-amzn-ErrorType: {code}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.sent_headers = True
        with contextlib.suppress(OSError):  # the client may be gone
            self.conn.wfile.write(head.encode("latin-1") + body)
            self.conn.hear_out()


class Connection(HTTPConnection):
    """A connection that carries our requests. A worker stays with it while it is busy: clients that send the next
    request at once would otherwise wait for three threads to pass the connection on.
    """

    RequestHandlerClass: type[Request] = Request

    def __init__(self, server: Any, sock: socket.socket, makefile: Any = None) -> None:
        super().__init__(server, sock, streams.opened)
        self._waiting = select.poll()
        self._waiting.register(sock, select.POLLIN)

    def communicate(self) -> bool:
        """Answer requests until the connection is closed (False) or quiet (True)."""
        while super().communicate():  # type: ignore[no-untyped-call]
            if not self._is_busy():
                return True
        return False

    def hear_out(self) -> None:
        """Read what a refused client still sends, for a moment: bytes that are left unread when a socket is closed
        make the kernel take back the answer.
        """
        self.socket.shutdown(socket.SHUT_WR)
        self.socket.settimeout(HEAR_OUT_SECONDS)
        deadline = time.monotonic() + HEAR_OUT_SECONDS
        while self.socket.recv(CHUNK) and time.monotonic() < deadline:
            pass

    def _is_busy(self) -> bool:
        if self.rfile.has_data():
            return True
        return bool(self._waiting.poll(LINGER_MS)) and self.server.ready


class HouseGateway(Gateway):
    """Answers one request through the front door that the server carries."""

    def respond(self) -> None:
        """Read, answer, write; the rest of a body that nobody wanted is read away first."""
        request = self.req
        source = request.conn.rfile
        body: Any = ChunkedBody(source) if request.chunked_read else KnownBody(source, _length(request))
        asked = wire_request(request, body)
        door: FrontDoor = request.server.door
        with door.turn(asked):
            reply = door.answer(asked)
            try:
                self._discard(body)
                self._write(reply)
            finally:
                close = getattr(reply.body, "close", None)
                if close is not None:
                    close()

    def _discard(self, body: Any) -> None:
        try:
            drain(body)
        except (CallerFault, OSError):
            self.req.close_connection = True  # nobody can tell where the next request would begin

    def _write(self, reply: WireReply) -> None:
        request = self.req
        content = reply.body
        bodiless = request.method == b"HEAD" or reply.status in (204, 304)
        known = {name.lower() for name in reply.headers}
        headers = [f"{name}: {_clean(value)}" for name, value in reply.headers.items()]
        chunked = False
        if isinstance(content, bytes):
            if "content-length" not in known and reply.status not in (204, 304):
                headers.append(f"Content-Length: {len(content)}")
        elif "content-length" not in known and not bodiless:
            chunked = request.response_protocol == "HTTP/1.1"
            request.close_connection = request.close_connection or not chunked
            headers += ["Transfer-Encoding: chunked"] if chunked else []
        self._keep_alive(headers)
        head = _head(reply.status, headers)
        request.sent_headers = True
        if bodiless:
            request.conn.wfile.write(head)
        elif isinstance(content, bytes):
            request.conn.wfile.write(head + content)
        else:
            request.conn.wfile.write(head)
            self._stream(content, chunked)

    def _keep_alive(self, headers: list[str]) -> None:
        request = self.req
        if not request.close_connection:
            request.close_connection = not request.server.can_add_keepalive_connection
        if request.close_connection:
            headers.append("Connection: close")
        elif request.response_protocol == "HTTP/1.0":
            headers.append("Connection: Keep-Alive")

    def _stream(self, content: Iterable[bytes], chunked: bool) -> None:
        """The status is sent already: what fails now can only be told by breaking off."""
        write = self.req.conn.wfile.write
        try:
            for part in content:
                if part:
                    write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            if chunked:
                write(b"0\r\n\r\n")
        except OSError:
            self.req.close_connection = True  # the client hung up
        except Exception:
            self.req.close_connection = True
            log.exception("a reply broke off in the middle")


def wire_request(request: Any, body: BinaryIO) -> WireRequest:
    """A WireRequest out of cheroot's."""
    path, _, query = request.uri.decode("latin-1").partition("?")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.inheaders.items()}
    fields = parse_qs(query, keep_blank_values=True) if query else {}
    return WireRequest(request.method.decode("latin-1"), path, fields, headers, body, query)


def _length(request: Any) -> int:
    return int(request.inheaders.get(b"Content-Length", 0))


def _clean(value: object) -> str:
    """A header value cannot hold line ends, whatever a model server put into it."""
    text = str(value)
    return text if text.isprintable() else " ".join(text.split())


def _head(status: int, headers: list[str]) -> bytes:
    lines = "\r\n".join([*headers, f"Date: {_date()}", "Server: Sagelet", "", ""])
    return b"HTTP/1.1 " + _REASONS.get(status, str(status).encode()) + b"\r\n" + lines.encode("utf-8")


_stamp: tuple[int, str] = (0, "")


def _date() -> str:
    """The time of now as HTTP prints it, made once a second."""
    global _stamp
    now = int(time.time())
    if _stamp[0] != now:
        _stamp = (now, formatdate(now, usegmt=True))
    return _stamp[1]
