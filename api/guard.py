"""Keeps web pages out. A page that a browser shows must not be able to start a job on the machine it runs on.

A foreign `Host` is what DNS rebinding leads to; a foreign `Origin` is what a page of another site sends. Programs
send the Host that they were pointed at, and no Origin.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from api.identify import of_aws
from emulator.errors import CallerFault


class Guard:
    """Judges the Host and Origin headers for a server on `port` of `host`."""

    def __init__(self, host: str, port: int, allowed: tuple[str, ...]) -> None:
        self._port = port
        self._own = host.strip("[]").lower()
        self._allowed = tuple(name.lower() for name in allowed)
        self._good: set[tuple[str | None, str | None]] = set()

    def check(self, headers: Mapping[str, str]) -> None:
        """`CallerFault` with AccessDeniedException for a request that a foreign web page may have sent."""
        pair = (headers.get("host"), headers.get("origin"))
        if pair in self._good:
            return
        host, origin = pair
        if host is not None and not self._may_be_host(host):
            raise _refusal(
                f"The Host {host[:200]!r} is not a name of this server. Use a loopback name with port {self._port},"
                " or start the server with --allow-host for a further name."
            )
        if origin is not None and not self._is_own(origin):
            raise _refusal(f"Requests of web pages from {origin[:200]!r} are refused: only its own pages may ask.")
        if len(self._good) < 1000:
            self._good.add(pair)

    def _may_be_host(self, host: str) -> bool:
        name, port = _split(host)
        if name.endswith(".localhost") or of_aws(name):
            return True
        return self._is_named(name, host) or (port == self._port and self._is_loopback(name))

    def _is_own(self, origin: str) -> bool:
        """An origin of AWS is not ours: anybody may keep a page in a bucket there."""
        try:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https"):
                return False
            name, port = _split(parts.netloc)
        except ValueError:
            return False
        if self._is_named(name, parts.netloc):
            return True
        return port == self._port and (self._is_loopback(name) or name.endswith(".localhost"))

    def _is_named(self, name: str, whole: str) -> bool:
        return name in self._allowed or whole.lower() in self._allowed

    def _is_loopback(self, name: str) -> bool:
        if name in ("localhost", self._own):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _split(host: str) -> tuple[str, int]:
    """Name and port of a Host header; port 80 when it has none, and -1 when it is no number."""
    name, colon, port = host.lower().rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host.lower(), "80"
    return name.strip("[]").rstrip("."), int(port) if port.isdecimal() else -1


def _refusal(message: str) -> CallerFault:
    return CallerFault(message, code="AccessDeniedException")
