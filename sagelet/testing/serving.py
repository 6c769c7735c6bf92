"""A function as a model server: /ping and /invocations, as a serving container has them, on a port of the loopback."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sagelet.testing import voice

BYTES, TEXT, JSON = "application/octet-stream", "text/plain; charset=utf-8", "application/json"
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Request:
    """One invocation. `content_type` and `accept` are empty when the caller named none."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str]
    """By lower-case name: `x-amzn-sagemaker-custom-attributes`, …"""
    model_dir: Path
    """/opt/ml/model: the unpacked model artifact."""
    environment: Mapping[str, str] = field(repr=False)
    """Environment of the model, and what a container would have besides."""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer that is more than a body."""

    body: Any = b""
    content_type: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Any]


class ModelServer:
    """Serves `answer` until `close`. `say` hears what it prints, and the tracebacks of what it raises."""

    def __init__(self, answer: Answer, model_dir: Path, environment: Mapping[str, str], say: voice.Say) -> None:
        self.answer, self.model_dir, self.environment, self.say = answer, model_dir, environment, say
        handler = type("Handler", (_Handler,), {"model": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="sagelet-testing-serve", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelServer

    def do_GET(self) -> None:
        self._whole(Reply(b"", BYTES, 200 if self.path == "/ping" else 404))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations" or self.headers.get("Origin"):  # a web page has no business here
            self._whole(Reply(b"", BYTES, 404))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = (headers.get("content-type", ""), headers.get("accept", ""))
        request = Request(body, *said, headers, self.model.model_dir, self.model.environment)
        with voice.heard_by(self.model.say):
            try:
                reply = _reply(self.model.answer(request), request.accept)
            except Exception as error:
                self.model.say(traceback.format_exc())
                reply = Reply(f"{type(error).__name__}: {error}".encode(), TEXT, 500)
            self._send(reply)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log is the function's."""

    def _send(self, reply: Reply) -> None:
        if isinstance(reply.body, bytes):
            self._whole(reply)
            return
        self._head(reply, "Transfer-Encoding", "chunked")
        try:
            for piece in reply.body:
                data = piece.encode() if isinstance(piece, str) else bytes(piece)
                if data:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        except Exception:  # the status is gone already: an answer that breaks off is how the caller learns of it
            self.model.say(traceback.format_exc())
            self.close_connection = True

    def _whole(self, reply: Reply) -> None:
        self._head(reply, "Content-Length", str(len(reply.body)))
        self.wfile.write(reply.body)

    def _head(self, reply: Reply, name: str, value: str) -> None:
        self.send_response(reply.status)
        for header, text in {"Content-Type": reply.content_type, **reply.headers, name: value}.items():
            self.send_header(header, text)
        self.end_headers()


def _reply(returned: Any, accept: str) -> Reply:
    """What a function returned as an answer: its body bytes, or an iterator of pieces."""
    given = returned if isinstance(returned, Reply) else Reply(returned)
    wanted = accept if accept and "*" not in accept and "," not in accept else ""
    body, usual = given.body, BYTES
    if body is None:
        raise TypeError("the function returned None: return bytes, a text, something for JSON, an iterator, or a Reply")
    if isinstance(body, str):
        body, usual = body.encode(), TEXT
    elif isinstance(body, (bytes, bytearray, memoryview)):
        body = bytes(body)
    elif not isinstance(body, Iterator):
        body, usual, wanted = json.dumps(body, default=_plain).encode(), JSON, ""
    return Reply(body, given.content_type or wanted or usual, given.status, given.headers)


def _plain(value: Any) -> Any:
    """Arrays and numbers of NumPy for JSON, without knowing NumPy."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be JSON: return bytes, or what json.dumps takes")
