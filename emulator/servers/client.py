"""HTTP to one model server, over loopback TCP or a unix socket, on connections that are kept and reused."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emulator.ports import Address
from emulator.servers.exchange import Answer, Connection, Request

__all__ = ["Client", "InvokeFailure", "Reply", "Request"]


@dataclass(frozen=True)
class Reply:
    """What a model server answered: status, headers with lower-case names, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class InvokeFailure(Exception):
    """The server did not answer. `kind` is `timeout` or `gone`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class Client:
    """Connections to one server. Thread safe: each request has a connection of its own while it lasts."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def ask(self, request: Request, timeout: float) -> Reply:
        """Send a request and read the whole answer; `InvokeFailure` when there is none within `timeout` seconds."""
        connection, answer = self._send(request, timeout)
        try:
            body = answer.body()
        except OSError as error:
            connection.close()
            raise _failure(error, timeout) from error
        self._give_back(connection, answer)
        return Reply(answer.status, answer.headers, body)

    def stream(self, request: Request, timeout: float) -> tuple[Reply, Iterator[bytes]]:
        """As `ask`, but the body comes as an iterator of chunks, each as soon as the server sends it."""
        connection, answer = self._send(request, timeout)
        return Reply(answer.status, answer.headers, b""), self._chunks(connection, answer, timeout)

    def close(self) -> None:
        """Close the connections that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _send(self, request: Request, timeout: float) -> tuple[Connection, Answer]:
        kept = self._take()
        if kept is not None:
            try:
                return kept, kept.ask(request, timeout)
            except TimeoutError as error:
                kept.close()
                raise _failure(error, timeout) from error
            except OSError:
                # A server may close an idle connection at any time; that says nothing about its health.
                kept.close()
        fresh: Connection | None = None
        try:
            fresh = Connection(self._address, timeout)
            return fresh, fresh.ask(request, timeout)
        except OSError as error:
            if fresh is not None:
                fresh.close()
            raise _failure(error, timeout) from error

    def _chunks(self, connection: Connection, answer: Answer, timeout: float) -> Iterator[bytes]:
        try:
            yield from answer.pieces()
        except OSError as error:
            connection.close()
            raise _failure(error, timeout) from error
        except GeneratorExit:
            connection.close()
            raise
        self._give_back(connection, answer)

    def _take(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: Connection, answer: Answer) -> None:
        if not answer.stays:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)


def _failure(error: Exception, timeout: float) -> InvokeFailure:
    if isinstance(error, TimeoutError):
        return InvokeFailure("timeout", f"The model server did not answer within {timeout:g} seconds.")
    return InvokeFailure("gone", f"The model server closed the connection without an answer ({error}).")
