"""Our own pages: the extension API, later the console. The only Flask app, behind the same guard as everything else.

Flask is imported when the first of these pages is asked for, and never for a request of an AWS client.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from api.extension import TOPICS
from api.wire import WireReply, WireRequest, faults
from emulator.errors import CallerFault, NotBuilt

if TYPE_CHECKING:
    from api.app import FrontDoor

CODES = {
    404: "UnknownOperationException",
    405: "UnknownOperationException",
    413: "RequestEntityTooLargeException",
    415: "UnsupportedMediaTypeException",
}


def create_app(door: FrontDoor) -> Flask:
    """The Flask app behind a front door."""
    app = Flask("sagelet", static_folder=None)
    for topic in TOPICS:
        import_module(topic).routes(app, door)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> ResponseReturnValue:
        code = CODES.get(error.code or 400, "ValidationException")
        return _fault(code, f"{request.method} {request.path}: {error.description}", error.code or 400)

    @app.errorhandler(CallerFault)
    @app.errorhandler(NotBuilt)
    def explain(error: CallerFault | NotBuilt) -> ResponseReturnValue:
        return _fault(error.code, error.message, faults.status(error.code, None))

    app.config["PROPAGATE_EXCEPTIONS"] = True  # the front door logs and words them
    return app


def _fault(code: str, message: str, status: int) -> ResponseReturnValue:
    return jsonify(__type=code, message=message, Message=message), status


def pages(door: FrontDoor) -> Callable[[WireRequest], WireReply]:
    """A function that answers requests through the Flask app."""
    app = create_app(door)

    def respond(asked: WireRequest) -> WireReply:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), dict(headers)]
            return lambda data: None

        body: Iterable[bytes] = app.wsgi_app(_environ(asked), start_response)
        whole = "Content-Length" in started[1]
        return WireReply(started[0], started[1], b"".join(body) if whole else body)

    return respond


def _environ(asked: WireRequest) -> dict[str, Any]:
    """What WSGI calls a request; only as much of it as pages under our own path need."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(asked.path, "latin-1"),
        "QUERY_STRING": asked.raw_query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": asked.body,
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if "content-length" in asked.headers:
        environ["CONTENT_LENGTH"] = asked.headers["content-length"]
    return environ | {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in asked.headers.items()}
