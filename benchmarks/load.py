"""A raw HTTP load: prepared requests replayed over keep-alive sockets by one thread: no SDK hides the server."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass, field

AUTH = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"


UNIX = "unix:"
"""What the address of a unix socket begins with, where others begin with http://."""


def sagemaker(operation: str, body: bytes = b"{}") -> bytes:
    """A control-plane request (JSON 1.1)."""
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    return request("POST", "/", "sagemaker", body, headers)


def request(method: str, path: str, service: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one request, signed in form only."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {AUTH.format(service=service)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def addressed(payload: bytes, url: str) -> bytes:
    """The request with the Host header of the server at `url`; as it is for a unix socket."""
    if url.startswith(UNIX):
        return payload
    return payload.replace(b"Host: 127.0.0.1\r\n", f"Host: {url.removeprefix('http://')}\r\n".encode(), 1)


@dataclass
class Load:
    """What came of a load: answers per second, and seconds of each answer."""

    seconds: float
    times: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.times) / self.seconds

    def quantile(self, share: float) -> float:
        """Seconds below which `share` of the answers came."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class _Lane:
    """One connection with one request under way."""

    def __init__(self, url: str, payloads: list[bytes]) -> None:
        self.url = url
        self.payloads = [addressed(payload, url) for payload in payloads]
        self.sock: socket.socket | None = None
        self.sent = 0.0
        self.buffer = b""

    def fire(self, turn: int) -> None:
        self.buffer = b""
        if self.sock is None:
            self.sock = _connected(self.url)
        self.sent = time.perf_counter()
        self.sock.sendall(self.payloads[turn % len(self.payloads)])

    def read(self) -> tuple[bool, int] | None:
        """(keep the connection, status) when the answer is complete."""
        assert self.sock is not None
        chunk = self.sock.recv(262144)
        self.buffer += chunk
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return (False, 0) if not chunk else None
        lower = head.lower()
        status = int(head.split(b" ", 2)[1])
        mark = lower.find(b"content-length:")
        if mark >= 0:
            length = int(lower[mark + 15 :].split(b"\r\n", 1)[0])
            if len(body) < length and chunk:
                return None
        elif chunk and not body.endswith(b"0\r\n\r\n"):
            return None
        keep = bool(chunk) and b"connection: close" not in lower and not head.startswith(b"HTTP/1.0")
        return keep, status

    def drop(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None


def _connected(url: str) -> socket.socket:
    if url.startswith(UNIX):
        found = socket.socket(socket.AF_UNIX)
        found.connect(url.removeprefix(UNIX))
        return found
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    found = socket.create_connection((host, int(port)))
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def run(url: str, payloads: list[bytes], clients: int, seconds: float, *more: str) -> Load:
    """Replay `payloads` in turn over `clients` connections for `seconds`, which are shared out among servers where
    there are `more`."""
    urls = [url, *more]
    lanes = [_Lane(urls[number % len(urls)], payloads) for number in range(clients)]
    load, turn = Load(0.0), 0
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:

        def fire(lane: _Lane) -> None:
            nonlocal turn
            lane.fire(turn)
            turn += 1
            assert lane.sock is not None
            selector.register(lane.sock, selectors.EVENT_READ, lane)

        for lane in lanes:
            fire(lane)
        while time.perf_counter() - began < seconds:
            for key, _ in selector.select(1.0):
                lane = key.data
                answered = lane.read()
                if answered is None:
                    continue
                selector.unregister(lane.sock)
                load.times.append(time.perf_counter() - lane.sent)
                load.errors += not 200 <= answered[1] < 300
                if not answered[0]:
                    lane.drop()
                fire(lane)
    load.seconds = time.perf_counter() - began
    for lane in lanes:
        lane.drop()
    return load
