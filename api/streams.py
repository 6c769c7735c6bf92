"""The two ends of a connection: what comes is read through one buffer, what goes is sent at once.

In the place of cheroot's, which are built on the `io` module that is written in Python: reading a request's head
through those took a sixth of the time of an answer.
"""

from __future__ import annotations

import socket
from typing import Any

RECEIVED = 64 * 1024
"""Bytes that are asked for at once: the head and the body of most requests."""

LARGEST = 1024 * 1024


class Reader:
    """What comes. `TimeoutError` when it stays out for longer than the socket's timeout."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self._at = 0
        self.closed = False

    def has_data(self) -> bool:
        """Whether something lies here that was received and not read."""
        return self._at < len(self._buffer)

    def peek(self, size: int = 0) -> bytes:
        """What would be read next, at least a byte of it; nothing at the end."""
        if not self.has_data():
            self._receive()
        return self._buffer[self._at :]

    def readline(self, size: int | None = -1) -> bytes:
        """Up to the next line end, `size` bytes or the end."""
        limit = -1 if size is None else size
        searched = 0
        while True:
            end = self._buffer.find(b"\n", self._at + searched) + 1
            searched = len(self._buffer) - self._at
            if end or 0 <= limit <= searched or not self._receive():
                break
        stop = end or len(self._buffer)
        return self._take(stop if limit < 0 else min(stop, self._at + limit))

    def read(self, size: int | None = -1) -> bytes:
        """`size` bytes, or fewer at the end; all that comes where no size is given."""
        wanted = -1 if size is None else size
        if 0 <= wanted <= len(self._buffer) - self._at:
            return self._take(self._at + wanted)
        parts = [self._take(len(self._buffer))]
        left = wanted - len(parts[0])
        while wanted < 0 or left > 0:
            part = self._socket.recv(LARGEST if wanted < 0 else min(left, LARGEST))
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def head(self) -> bytes:
        """The header lines and the empty one behind them, where all of that lies here; it is taken by `read`."""
        end = self._buffer.find(b"\r\n\r\n", self._at)
        return self._buffer[self._at : end + 4] if end >= 0 else b""

    def close(self) -> None:
        """Nothing more is read."""
        self._buffer, self._at, self.closed = b"", 0, True

    def _take(self, stop: int) -> bytes:
        taken = self._buffer[self._at : stop]
        self._at = stop
        return taken

    def _receive(self) -> bool:
        more = self._socket.recv(RECEIVED)
        self._buffer, self._at = self._buffer[self._at :] + more, 0
        return bool(more)


class Writer:
    """What goes. `TimeoutError` when nobody takes it for longer than the socket's timeout."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def write(self, data: bytes) -> int:
        """Send all of it."""
        self._socket.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept here."""

    def close(self) -> None:
        """Nothing was kept here."""


def opened(sock: socket.socket, mode: str = "rb", size: int = 0) -> Any:
    """The end for a mode, as cheroot asks for it."""
    return Reader(sock) if "r" in mode else Writer(sock)
