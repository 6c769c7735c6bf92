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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from algorithms.common import threads, workers
from algorithms.common.faults import Refusal, UserError
from algorithms.common.http_server import Reply, Request, Server, TooLarge

__all__ = ["Invocation", "Model", "Reply", "run_serving"]

MEBIBYTE = 1024 * 1024
PAYLOAD_LIMIT = 25 * MEBIBYTE
"""What the service itself passes on to a model; MAX_CONTENT_LENGTH and the limit of a transform job replace it."""
DEFAULT_PAYLOAD_IN_MB = 6
QUEUE = 128
SHUTDOWN_SECONDS = 5


@dataclass(frozen=True)
class Invocation:
    """One request to a model."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """All of the request's, named as in `X-Amzn-Sagemaker-Custom-Attributes`."""


class Model(Protocol):
    """A loaded model. Called from several threads at once.

    One with a method `execution_parameters` answers GET /execution-parameters with the Reply that it returns.
    """

    def answer(self, invocation: Invocation) -> Reply:
        """Raises Refusal for what the caller did wrong."""
        ...


class Application:
    """What is asked of a model server, in front of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._limit = payload_limit()

    def __call__(self, request: Request) -> Reply:
        reply = self._reply(request)
        _log_access(request, reply)
        return reply

    def _reply(self, request: Request) -> Reply:
        asked = (request.method, request.path)
        if asked == ("POST", "/invocations"):
            return self._invoke(request)
        if asked == ("GET", "/ping"):
            return Reply(b"")
        if asked == ("GET", "/execution-parameters"):
            own = getattr(self._model, "execution_parameters", None)
            return own() if own else Reply(json.dumps(execution_parameters()).encode(), "application/json")
        known = asked[1] in ("/ping", "/invocations", "/execution-parameters")
        return Reply(f"{asked[0]} {asked[1]} is not served here".encode(), status=405 if known else 404)

    def _invoke(self, request: Request) -> Reply:
        headers = request.headers
        content_type, accept = headers.get("Content-Type", ""), headers.get("Accept", "")
        try:
            body = request.body(self._limit)
        except TooLarge as error:
            return Reply(_too_large(error.args[0], self._limit).encode(), status=413)
        try:
            return self._model.answer(Invocation(body, content_type, accept, headers))
        except Refusal as refusal:
            return Reply(refusal.message.encode(), status=refusal.status)
        except Exception as error:
            traceback.print_exc()
            return Reply(f"{type(error).__name__}: {error}".encode(), status=500)


def _too_large(length: int | None, limit: int) -> str:
    if length is None:
        return f"The body has more than the {limit} bytes that MAX_CONTENT_LENGTH allows."
    return f"The body has {length} bytes; MAX_CONTENT_LENGTH allows {limit}."


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
    before a fork may hang after it. Where there are several, each computes with one thread.
    """
    if count == 1:
        return _loaded(load, serve)
    ended = _signals()
    try:
        bound = _bound()
    except OSError as error:
        return _cannot_listen(error)

    def work(handed: workers.Handed, ready: Callable[[], None]) -> int:
        return _loaded(load, lambda model: _serve(model, handed, ready, threads.one()))

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
    """The socket, which does not listen yet."""
    if path := _path():
        Path(path).unlink(missing_ok=True)
        found = socket.socket(socket.AF_UNIX)
        found.bind(path)
        Path(path).chmod(0o777)  # Who may reach it, the folder decides.
        return found
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(_place())
    return found


def _cannot_listen(error: OSError) -> int:
    print(f"Cannot listen on {_place()}: {error}", file=sys.stderr, flush=True)
    return 1


def serve(model: Model) -> int:
    """Serve at the place of the environment until SIGTERM or SIGINT; the exit status."""
    try:
        bound = _bound()
        bound.listen(QUEUE)
    except OSError as error:
        return _cannot_listen(error)
    return _serve(model, bound, lambda: _say_ready(bound, _path()))


def _serve(model: Model, listening: Any, ready: Callable[[], None], begin: Callable[[], None] = lambda: None) -> int:
    """Serve the connections that come by a listening socket, or by what is like one; each has a thread, which calls
    `begin`."""
    ended = _signals()
    server = Server(listening, Application(model), begin)
    ready()
    threading.Thread(target=_accept, args=[server], daemon=True).start()
    ended.recv(1)
    if not server.stop(SHUTDOWN_SECONDS):
        sys.stdout.flush()
        os._exit(0)  # What is still being computed must not keep the process.
    return 0


def _signals() -> socket.socket:
    """Readable at SIGTERM or SIGINT, whichever thread of whichever library the kernel hands it to."""
    ended, ending = socket.socketpair()
    ending.setblocking(False)
    signal.set_wakeup_fd(ending.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return ended


def _accept(server: Server) -> None:
    """The loop has a thread of its own, so that a signal cannot break into it at an unlucky place."""
    try:
        server.serve()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _say_ready(listening: socket.socket, path: str) -> None:
    print(f"Listening at: {path or 'http://{}:{}'.format(*listening.getsockname()[:2])} ({os.getpid()})", flush=True)


def _log_access(request: Request, reply: Reply) -> None:
    line = f"{request.method} {request.path} {request.version}"
    agent = request.headers.get("User-Agent", "-")
    stamp = _stamp(int(time.time()))
    sys.stdout.write(f'127.0.0.1 - - [{stamp}] "{line}" {reply.status} {len(reply.body)} "-" "{agent}"\n')
    sys.stdout.flush()


@lru_cache(maxsize=1)
def _stamp(second: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))
