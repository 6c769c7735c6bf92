"""The serving loop: `/ping`, `/invocations` and `/execution-parameters` in front of a model, until SIGTERM.

Listens on the unix socket SAGEMAKER_BIND_TO_SOCKET if set, else on port SAGEMAKER_BIND_TO_PORT (8080). What a model
answers, and in which format, is the algorithm's business.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.client import responses
from pathlib import Path
from typing import Any, Protocol

from algorithms.common import workers
from algorithms.common.faults import Refusal, UserError

MEBIBYTE = 1024 * 1024
PAYLOAD_LIMIT = 25 * MEBIBYTE
"""What the service itself passes on to a model; MAX_CONTENT_LENGTH and the limit of a transform job replace it."""
DEFAULT_PAYLOAD_IN_MB = 6
DRAINED = 128 * MEBIBYTE
THREADS = 16
QUEUE = 128
KEEP_ALIVE = 75
SHUTDOWN_SECONDS = 5


@dataclass(frozen=True)
class Invocation:
    """One request to a model."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """All of the request's, named as in `X-Amzn-Sagemaker-Custom-Attributes`."""


@dataclass(frozen=True)
class Reply:
    """What a model answers."""

    body: bytes
    content_type: str = "text/plain"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further ones."""


class Model(Protocol):
    """A loaded model. Called from several threads at once.

    One with a method `execution_parameters` answers GET /execution-parameters with the Reply that it returns.
    """

    def answer(self, invocation: Invocation) -> Reply:
        """Raises Refusal for what the caller did wrong."""
        ...


class Application:
    """The WSGI application in front of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._limit = payload_limit()

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        reply = self._reply(environ)
        reason = responses.get(reply.status, "Unknown")
        headers = [("Content-Length", str(len(reply.body)))] if reply.status != 204 else []
        if reply.body:
            headers.append(("Content-Type", reply.content_type))
        headers += reply.headers.items()
        start_response(f"{reply.status} {reason}", headers)
        _log_access(environ, reply)
        return [reply.body] if reply.body else []

    def _reply(self, environ: Mapping[str, Any]) -> Reply:
        asked = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if asked == ("GET", "/ping"):
            return Reply(b"")
        if asked == ("POST", "/invocations"):
            return self._invoke(environ)
        if asked == ("GET", "/execution-parameters"):
            own = getattr(self._model, "execution_parameters", None)
            return own() if own else Reply(json.dumps(execution_parameters()).encode(), "application/json")
        known = asked[1] in ("/ping", "/invocations", "/execution-parameters")
        return Reply(f"{asked[0]} {asked[1]} is not served here".encode(), status=405 if known else 404)

    def _invoke(self, environ: Mapping[str, Any]) -> Reply:
        try:
            content_type, accept = environ.get("CONTENT_TYPE", ""), environ.get("HTTP_ACCEPT", "")
            return self._model.answer(Invocation(self._body(environ), content_type, accept, _headers(environ)))
        except Refusal as refusal:
            return Reply(refusal.message.encode(), status=refusal.status)
        except Exception as error:
            traceback.print_exc()
            return Reply(f"{type(error).__name__}: {error}".encode(), status=500)

    def _body(self, environ: Mapping[str, Any]) -> bytes:
        announced = environ.get("CONTENT_LENGTH") or "0"
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        length = self._limit + 1 if chunked else int(announced)
        if not chunked and length > self._limit:
            _drain(environ["wsgi.input"], length)
            raise Refusal(413, f"The body has {length} bytes; MAX_CONTENT_LENGTH allows {self._limit}.")
        body: bytes = environ["wsgi.input"].read(length) if length else b""
        if chunked and len(body) > self._limit:
            raise Refusal(413, f"The body has more than the {self._limit} bytes that MAX_CONTENT_LENGTH allows.")
        return body


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    names = [name for name in environ if name.startswith("HTTP_")]
    found = {name[5:].replace("_", "-").title(): environ[name] for name in names}
    return found | {"Content-Type": environ.get("CONTENT_TYPE", "")}


def _drain(stream: Any, length: int) -> None:
    """Read a refused body away: a caller who is still sending would see a broken connection, not the refusal."""
    left = min(length, DRAINED)
    while left > 0 and (part := stream.read(min(left, MEBIBYTE))):
        left -= len(part)


def payload_limit() -> int:
    """The most bytes that a body may have."""
    own = os.environ.get("MAX_CONTENT_LENGTH", "")
    if own.isdigit():
        return int(own)
    transform = os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", "")
    return max(PAYLOAD_LIMIT, int(transform) * MEBIBYTE if transform.isdigit() else 0)


def execution_parameters() -> dict[str, Any]:
    """What a transform job uses when its request does not say."""
    own = os.environ.get("MAX_CONTENT_LENGTH", "")
    return {
        "MaxConcurrentTransforms": os.cpu_count() or 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": int(own) // MEBIBYTE if own.isdigit() else DEFAULT_PAYLOAD_IN_MB,
    }


def run_serving(load: Callable[[], Model], count: int = 1) -> int:
    """Load the model and serve it until SIGTERM, in `count` processes; the exit status.

    What cannot be loaded is said in one sentence. Every process loads the model for itself: a library that has computed
    before a fork may hang after it.
    """
    if count == 1:
        return _loaded(load, lambda model: serve(model))
    ended = _signals()
    try:
        bound = _bound()
    except OSError as error:
        print(f"Cannot listen on {_place()}: {error}", file=sys.stderr, flush=True)
        return 1

    def work(handed: workers.Handed, ready: Callable[[], None]) -> int:
        return _loaded(load, lambda model: serve(model, handed, ready))

    def listen() -> None:
        bound.listen(QUEUE)
        _say_ready(bound, _path())

    with bound:
        return workers.run(count, bound, listen, work, ended)


def _loaded(load: Callable[[], Model], then: Callable[[Model], int]) -> int:
    try:
        model = load()
    except UserError as mistake:
        print(f"ClientError: {mistake}", file=sys.stderr, flush=True)
        return 1
    return then(model)


def _path() -> str:
    return os.environ.get("SAGEMAKER_BIND_TO_SOCKET", "")


def _place() -> Any:
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080)
    return _path() or (os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"), port)


def _bound() -> socket.socket:
    """The socket of several processes, which does not listen yet."""
    if path := _path():
        Path(path).unlink(missing_ok=True)
        found = socket.socket(socket.AF_UNIX)
        found.bind(path)
        Path(path).chmod(0o777)  # As cheroot does: who may reach it, the folder decides.
        return found
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )  # Connections have it from the socket that they come by.
    found.bind(_place())
    return found


def serve(model: Model, handed: workers.Handed | None = None, ready: Callable[[], None] = lambda: None) -> int:
    """Serve until SIGTERM or SIGINT: at the place of the environment, or the connections that are handed on."""
    from cheroot import wsgi

    path = _path()
    if path and handed is None:
        Path(path).unlink(missing_ok=True)
    ended = _signals()
    server = wsgi.Server(
        _place(), Application(model), numthreads=THREADS, request_queue_size=QUEUE, timeout=KEEP_ALIVE,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )  # fmt: skip
    if handed is not None:
        server.bind = server.bind_unix_socket = lambda *_: setattr(server, "socket", handed)
    server.nodelay = not path
    server.version = server.server_name = "sagelet"
    try:
        server.prepare()
    except OSError as error:
        print(f"Cannot listen on {path or _place()[1]}: {error}", file=sys.stderr, flush=True)
        return 1
    if handed is None:
        _say_ready(server.socket, path)
    ready()
    threading.Thread(target=_serve, args=[server], daemon=True).start()
    ended.recv(1)
    _stop(server)
    return 0


def _signals() -> socket.socket:
    """Readable at SIGTERM or SIGINT, whichever thread of whichever library the kernel hands it to."""
    ended, ending = socket.socketpair()
    ending.setblocking(False)
    signal.set_wakeup_fd(ending.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return ended


def _serve(server: Any) -> None:
    """The loop has a thread of its own, so that a signal cannot break into it at an unlucky place."""
    try:
        server.serve()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(server: Any) -> None:
    """Finish what is being answered, but not for ever."""
    stopping = threading.Thread(target=server.stop, daemon=True)
    stopping.start()
    stopping.join(SHUTDOWN_SECONDS + 1)
    if stopping.is_alive():
        sys.stdout.flush()
        os._exit(0)


def _say_ready(listening: socket.socket, path: str) -> None:
    print(f"Listening at: {path or 'http://{}:{}'.format(*listening.getsockname()[:2])} ({os.getpid()})", flush=True)


def _log_access(environ: Mapping[str, Any], reply: Reply) -> None:
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['SERVER_PROTOCOL']}"
    agent = environ.get("HTTP_USER_AGENT", "-")
    caller = environ.get("REMOTE_ADDR") or "127.0.0.1"
    sys.stdout.write(f'{caller} - - [{stamp}] "{line}" {reply.status} {len(reply.body)} "-" "{agent}"\n')
    sys.stdout.flush()
