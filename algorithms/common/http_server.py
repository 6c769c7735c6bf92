"""HTTP/1.1 as model servers need it: callers that stay, each with a thread of its own, and bodies of bytes.

Servers for the web hand a connection from thread to thread between its requests, which takes longer than a small model
does. Here one thread reads, answers and writes, and waits for the next request of the same caller.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http.client import responses
from typing import Any
from urllib.parse import unquote

HEAD_LIMIT = 256 * 1024
RECEIVED = 64 * 1024
"""Bytes that are asked for at once: head and body of most requests."""
PIECE = 1024 * 1024
DRAINED = 128 * 1024 * 1024
"""The most that is read away of a body that nobody wanted: a caller who is still sending would see a broken
connection, not the refusal."""
KEEP_ALIVE = 75
"""Seconds for which a connection may be quiet."""
HEAR_OUT = 0.5
CONNECTIONS = 512


class Malformed(Exception):
    """What is no request: (status, message). Nobody can tell where the next one would begin."""


class TooLarge(Exception):
    """A body is larger than it may be: its length, None where that is not announced."""


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    body: bytes
    content_type: str = "text/plain"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further ones."""


class Stream:
    """What comes from a caller."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._buffer = b""

    def until(self, mark: bytes, limit: int) -> bytes:
        """All up to a mark, which is taken too; empty when the caller is gone before it began."""
        searched = 0
        while (end := self._buffer.find(mark, max(0, searched - len(mark)))) < 0:
            searched = len(self._buffer)
            if searched > limit:
                raise Malformed(431, f"The head of the request has more than {limit} bytes.")
            more = self.socket.recv(RECEIVED)
            if not more:
                if self._buffer.strip():
                    raise ConnectionError("the caller has left in the middle of a request")
                return b""
            self._buffer += more
        found, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        return found

    def read(self, count: int) -> Iterator[bytes]:
        """So many bytes, in pieces."""
        while count > 0:
            piece, self._buffer = self._buffer[:count], self._buffer[count:]
            piece = piece or self.socket.recv(min(count, PIECE))
            if not piece:
                raise ConnectionError("the caller has left in the middle of a body")
            count -= len(piece)
            yield piece

    def hear_out(self) -> None:
        """Read what a refused caller still sends, for a moment: bytes that are left unread when a socket is closed make
        the kernel take back the answer."""
        self.socket.shutdown(socket.SHUT_WR)
        self.socket.settimeout(HEAR_OUT)
        until = time.monotonic() + HEAR_OUT
        while self.socket.recv(RECEIVED) and time.monotonic() < until:
            pass


class Request:
    """One request, whose body is read when it is asked for. Names of headers are as in `Content-Type`."""

    def __init__(self, head: bytes, stream: Stream) -> None:
        first, *lines = head.decode("latin-1").lstrip("\r\n").split("\r\n")
        try:
            self.method, target, self.version = first.split(" ")
        except ValueError:
            raise Malformed(400, "The first line is no request line of HTTP.") from None
        if not self.version.startswith("HTTP/1."):
            raise Malformed(505, f"{self.version[:20]} is not spoken here; HTTP/1.1 is.")
        self.path = unquote(target.partition("?")[0])
        self.headers = _headers(lines)
        self._body = _pieces(self.headers, stream)
        self._stream = stream

    @property
    def stays(self) -> bool:
        """Whether the caller wants to ask again by this connection."""
        said = self.headers.get("Connection", "").lower()
        return "close" not in said and (self.version != "HTTP/1.0" or "keep-alive" in said)

    def body(self, limit: int) -> bytes:
        """All of it; TooLarge when that is more than `limit` bytes."""
        announced = int(self.headers.get("Content-Length", "0"))
        if announced > limit:
            raise TooLarge(announced)
        if "100-continue" in self.headers.get("Expect", "").lower():
            self._stream.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts, size = [], 0
        for piece in self._body:
            parts.append(piece)
            size += len(piece)
            if size > limit:
                raise TooLarge(None)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def drain(self) -> bool:
        """Read away what is left of the body; False when that is too much."""
        size = 0
        for piece in self._body:
            size += len(piece)
            if size > DRAINED:
                return False
        return True


def _headers(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(400, f"{line[:100]!r} is no header.")
        name, value = _title(name), value.strip()
        found[name] = f"{found[name]},{value}" if name in found else value
    length = found.get("Content-Length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Malformed(400, f"Content-Length is {length[:20]!r}, which is no number of bytes.")
    return found


@lru_cache(maxsize=1024)
def _title(name: str) -> str:
    return name.title()


def _pieces(headers: Mapping[str, str], stream: Stream) -> Iterator[bytes]:
    coding = headers.get("Transfer-Encoding", "").lower()
    if not coding:
        return stream.read(int(headers.get("Content-Length", "0")))
    if coding != "chunked":
        raise Malformed(501, f"Transfer-Encoding {coding[:20]!r} is not understood here; chunked is.")
    return _chunks(stream)


def _chunks(stream: Stream) -> Iterator[bytes]:
    while True:
        line = stream.until(b"\r\n", HEAD_LIMIT)
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            raise Malformed(400, f"{line[:20]!r} is no size of a chunk.") from None
        if size == 0:
            break
        yield from stream.read(size)
        stream.until(b"\r\n", 0)
    while stream.until(b"\r\n", HEAD_LIMIT):
        pass  # Trailers, which nobody needs.


Answer = Callable[[Request], Reply]


class Server:
    """Answers the connections that a listening socket gives, until it is stopped."""

    def __init__(self, listening: Any, answer: Answer, begin: Callable[[], object] = lambda: None) -> None:
        """`begin` is called by each thread before it answers."""
        self._listening, self._answer, self._begin = listening, answer, begin
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        self._open: dict[threading.Thread, socket.socket] = {}
        self._stopping = False

    def serve(self) -> None:
        """Accept until the listening socket is closed, or there will be no more connections."""
        while not self._stopping:
            self._room.acquire()
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._converse, args=[sock], daemon=True)
            self._open[thread] = sock
            thread.start()
            if self._stopping:  # It was not among those that were told.
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RD)

    def stop(self, seconds: float) -> bool:
        """Accept no more, and finish what has been asked; whether that took no longer."""
        self._stopping = True
        for sock in list(self._open.values()):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RD)  # What has come is read yet; then the caller seems gone.
        until = time.monotonic() + seconds
        for thread in list(self._open):
            thread.join(max(0.0, until - time.monotonic()))
        return not self._open

    def _converse(self, sock: socket.socket) -> None:
        try:
            self._begin()
            sock.settimeout(KEEP_ALIVE)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = Stream(sock)
            while self._exchange(stream):
                pass
        except OSError:
            pass  # The caller is gone, or quiet for too long.
        except Exception:
            traceback.print_exc(file=sys.stderr)
        finally:
            sock.close()
            self._open.pop(threading.current_thread(), None)
            self._room.release()

    def _exchange(self, stream: Stream) -> bool:
        """Answer one request; whether there may be another."""
        try:
            head = stream.until(b"\r\n\r\n", HEAD_LIMIT)
            if not head:
                return False
            request = Request(head, stream)
            reply = self._answer(request)
            stays = request.drain() and request.stays and not self._stopping
        except Malformed as error:
            status, message = error.args
            stream.socket.sendall(_written(Reply(message.encode(), status=status), False))
            stream.hear_out()
            return False
        stream.socket.sendall(_written(reply, stays))
        return stays


def _written(reply: Reply, stays: bool) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'Unknown')}"]
    if reply.status != 204:
        lines.append(f"Content-Length: {len(reply.body)}")
    if reply.body:
        lines.append(f"Content-Type: {reply.content_type}")
    lines += [f"{name}: {_line(value)}" for name, value in reply.headers.items()]
    lines.append("Connection: keep-alive" if stays else "Connection: close")
    head = "\r\n".join([*lines, f"Date: {_date(int(time.time()))}", "Server: sagelet", "", ""])
    return head.encode("latin-1", "replace") + (b"" if reply.status == 204 else reply.body)


def _line(value: object) -> str:
    """A value cannot hold line ends, whatever a script has put into it."""
    text = str(value)
    return text if text.isprintable() else " ".join(text.split())


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
