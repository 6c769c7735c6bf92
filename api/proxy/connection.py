"""What clients ask of a proxy: a tunnel to a name of AWS (CONNECT), or a plain request with the whole address.

A web page can send neither, unless its browser was told to use this proxy; the guard of the front door judges the
Origin there as everywhere. Requests that name no other address are those of the server itself.
"""

from __future__ import annotations

import contextlib
import logging
import re
import ssl
from typing import Any
from urllib.parse import urlsplit

from api import streams
from api.gateway import Connection, Request
from api.identify import of_aws
from api.proxy.tunnel import TunnelReader, begins_with_tls, secured

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z0-9._-]{1,253}")

OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"

REFUSAL = (
    "Sagelet's proxy answers for addresses of AWS and lets nothing out of this machine, so not to {}."
    " Put a host that a program may reach into NO_PROXY."
)


class ProxyRequest(Request):
    """A request to the server, or to a name of AWS by way of it."""

    def __init__(self, server: Any, conn: Any) -> None:
        super().__init__(server, conn, proxy_mode=True)
        self.target = ""
        """The name of AWS that is asked, where it is not the tunnel's."""

    def read_request_line(self) -> bool:
        """Whether it is well formed, and for an address that is answered here."""
        if not super().read_request_line():
            return False
        if not self.authority and self.method != b"CONNECT":
            return True
        self.target = _name(self.authority)
        if not of_aws(self.target):
            self._refuse(self.target or "an address without a name")
            return False
        if self.method != b"CONNECT":
            self.uri = _origin_form(self.uri, self.authority)
        return True

    def read_request_headers(self) -> bool:
        """The Host is what was asked of the proxy; a request that names another in its tunnel is refused."""
        if not super().read_request_headers():
            return False
        tunnel = self.conn.tunnel
        if not tunnel and not self.target:
            return True
        asked = self.target or _name(self.inheaders.get(b"Host", tunnel.encode()))
        if tunnel and asked != tunnel:
            self.simple_response("421 Misdirected Request", f"This is a tunnel to {tunnel}, and not to {asked}.")
            return False
        self.inheaders[b"Host"] = asked.encode()
        return True

    def respond(self) -> None:
        """Open the tunnel, or answer."""
        if self.method == b"CONNECT":
            self.close_connection = not self.conn.open(self.target)
            self.sent_headers = True
        else:
            super().respond()

    def _refuse(self, host: str) -> None:
        """The sentence is the reason phrase, too: of a refused tunnel clients show that alone."""
        sentence = REFUSAL.format(host)
        self.simple_response(f"403 {sentence}", sentence)


class ProxyConnection(Connection):
    """A connection that may become a tunnel."""

    RequestHandlerClass = ProxyRequest
    tunnel = ""
    """The name of AWS at the other end, as the client sees it."""

    def open(self, name: str) -> bool:
        """Become the server `name` for this client; False when they do not agree."""
        if self.rfile.has_data():
            return False  # it did not wait for our word; what it sent cannot be handed to the TLS library
        patience = self.socket.gettimeout()
        self.wfile.write(OPEN)
        try:
            if begins_with_tls(self.socket):
                self._secure(name)
        except (OSError, ssl.SSLError) as error:
            log.info("a client that asked for %s ended the TLS handshake: %s", name, error)
            return False
        self.socket.settimeout(patience)
        self.tunnel = name
        return True

    def close(self) -> None:
        """A socket that was lost on the way into TLS must not take the worker with it."""
        with contextlib.suppress(OSError):
            super().close()

    def _secure(self, name: str) -> None:
        context = self.server.door.authority.context(name)
        # The socket is replaced before anything can go wrong: it is the one that will be closed.
        self.socket = secure = secured(self.socket, context)
        self.rfile, self.wfile = TunnelReader(secure), streams.opened(secure, "wb")
        secure.do_handshake()


def _name(authority: bytes | str) -> str:
    """The host of an authority, without port; nothing where it cannot be a host name."""
    text = authority.decode("latin-1") if isinstance(authority, bytes) else authority
    try:
        name = (urlsplit(f"//{text}").hostname or "").rstrip(".")
    except ValueError:
        return ""
    return name if _NAME.fullmatch(name) else ""


def _origin_form(uri: bytes, authority: bytes) -> bytes:
    """Path and query of a whole address."""
    rest = uri.partition(b"//")[2][len(authority) :]
    return rest if rest.startswith(b"/") else b"/" + rest
