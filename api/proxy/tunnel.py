"""The end of a tunnel: TLS over a connection that a client opened with CONNECT."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from typing import Any

from api.streams import Reader

HANDSHAKE = b"\x16"
"""What TLS begins with. Some clients ask for a tunnel and speak plain HTTP in it."""

HANDSHAKE_SECONDS = 10.0


class TunnelSocket(ssl.SSLSocket):
    """A socket that speaks TLS. What a client sends wrongly ends the connection, as if it had hung up."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """See `socket.recv`."""
        with _as_a_reset():
            return super().recv(buflen, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """See `socket.send`; `sendall` uses it."""
        with _as_a_reset():
            return super().send(data, flags)

    def shutdown(self, how: int) -> None:
        """Say that nothing more comes, without waiting for the other side's word: an answer without a length ends so.

        Who stops reading (`SHUT_RD`) may be another thread than the one that reads: TLS is left alone then.
        """
        if how == socket.SHUT_RD:
            socket.socket.shutdown(self, how)
            return
        self.settimeout(0)
        with contextlib.suppress(OSError, ValueError):
            self.unwrap()
        super().shutdown(how)


class TunnelReader(Reader):
    """What comes through a tunnel; the TLS library may hold some of it back."""

    def __init__(self, sock: TunnelSocket) -> None:
        super().__init__(sock)
        self._tunnel = sock

    def has_data(self) -> bool:
        """Whether something was received and not read."""
        return super().has_data() or (not self.closed and self._tunnel.pending() > 0)


def secured(sock: socket.socket, context: ssl.SSLContext) -> TunnelSocket:
    """The connection, which speaks TLS from now on; the client has not been heard yet."""
    context.sslsocket_class = TunnelSocket
    found = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    assert isinstance(found, TunnelSocket)
    return found


def begins_with_tls(sock: socket.socket) -> bool:
    """Whether a client wants TLS in its tunnel; `OSError` when it says nothing for too long, or goes."""
    sock.settimeout(HANDSHAKE_SECONDS)
    first = sock.recv(1, socket.MSG_PEEK)
    if not first:
        raise ConnectionResetError(errno.ECONNRESET, "it left")
    return first == HANDSHAKE


class _as_a_reset(contextlib.AbstractContextManager[None]):
    """cheroot knows what to do when a client is gone, and takes other errors for ours."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ssl.SSLError):
            raise ConnectionResetError(errno.ECONNRESET, f"the TLS of a client broke off ({error})") from None
