"""HTTP to one model server, over loopback TCP or a unix socket, on connections that are kept and reused."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emulator.ports import Address


@dataclass(frozen=True)
class Reply:
    """What a model server answered: status, headers with lower-case names, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Request:
    """What a model server is asked."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] | None = None


class InvokeFailure(Exception):
    """The server did not answer. `kind` is `timeout` or `gone`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _TcpConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Client:
    """Connections to one server. Thread safe: each request has a connection of its own while it lasts."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def ask(self, request: Request, timeout: float) -> Reply:
        """Send a request and read the whole answer; `InvokeFailure` when there is none within `timeout` seconds."""
        connection, response = self._send(request, timeout)
        try:
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _failure(error, timeout) from error
        self._give_back(connection, response)
        return Reply(response.status, _headers(response), body)

    def stream(self, request: Request, timeout: float) -> tuple[Reply, Iterator[bytes]]:
        """As `ask`, but the body comes as an iterator of chunks, each as soon as the server sends it."""
        connection, response = self._send(request, timeout)
        return Reply(response.status, _headers(response), b""), self._chunks(connection, response, timeout)

    def close(self) -> None:
        """Close the connections that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _send(self, request: Request, timeout: float) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        kept = self._take()
        if kept is not None:
            try:
                return kept, _exchange(kept, request, timeout)
            except TimeoutError as error:
                kept.close()
                raise _failure(error, timeout) from error
            except (OSError, http.client.HTTPException):
                # A server may close an idle connection at any time; that says nothing about its health.
                kept.close()
        fresh = self._connect(timeout)
        try:
            return fresh, _exchange(fresh, request, timeout)
        except (OSError, http.client.HTTPException) as error:
            fresh.close()
            raise _failure(error, timeout) from error

    def _chunks(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, timeout: float
    ) -> Iterator[bytes]:
        try:
            while chunk := response.read1(65536):
                yield chunk
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _failure(error, timeout) from error
        self._give_back(connection, response)

    def _take(self) -> http.client.HTTPConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        if response.will_close or not response.isclosed():
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._address.socket:
            return _UnixConnection(self._address.socket, timeout)
        return _TcpConnection(self._address.host, self._address.port, timeout=timeout)


def _exchange(connection: http.client.HTTPConnection, request: Request, timeout: float) -> http.client.HTTPResponse:
    connection.timeout = timeout
    if connection.sock is not None:
        connection.sock.settimeout(timeout)
    connection.request(request.method, request.path, request.body, dict(request.headers or {}))
    return connection.getresponse()


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _failure(error: Exception, timeout: float) -> InvokeFailure:
    if isinstance(error, TimeoutError):
        return InvokeFailure("timeout", f"The model server did not answer within {timeout:g} seconds.")
    return InvokeFailure("gone", f"The model server closed the connection without an answer ({error}).")
