"""Our own pages under /_sagelet: health, status, reset and logs as JSON, later the console. The only Flask app.

Flask is imported when the first of these pages is asked for, and never for a request of an AWS client.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from api.wire import WireReply, WireRequest

if TYPE_CHECKING:
    from api.app import Rooms


def version() -> str:
    """The version that is installed."""
    try:
        return metadata.version("sagelet")
    except metadata.PackageNotFoundError:
        return "unknown"


def create_app(house: Rooms) -> Flask:
    """The Flask app for a house."""
    app = Flask("sagelet", static_folder=None)

    @app.get("/_sagelet/health")
    def health() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.get("/_sagelet/status")
    def status() -> ResponseReturnValue:
        return jsonify({"version": version(), **house.status()})

    @app.post("/_sagelet/reset")
    def reset() -> ResponseReturnValue:
        house.reset()
        return jsonify(status="empty")

    @app.get("/_sagelet/logs")
    def logs() -> ResponseReturnValue:
        return jsonify(house.log_lines(request.args.get("job", ""), _places(request.args.get("places", "{}"))))

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> ResponseReturnValue:
        code = "UnknownOperationException" if error.code == 404 else "ValidationException"
        message = f"{request.method} {request.path}: {error.description}"
        return jsonify(__type=code, message=message, Message=message), error.code or 400

    app.config["PROPAGATE_EXCEPTIONS"] = True  # the front door logs and words them
    return app


def _places(text: str) -> dict[str, int]:
    """Where a reader of logs has come to, as the answer before told him; from the beginning if that is garbled."""
    try:
        return {str(name): max(0, int(offset)) for name, offset in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def pages(house: Rooms) -> Callable[[WireRequest], WireReply]:
    """A function that answers requests through the Flask app."""
    app = create_app(house)

    def respond(asked: WireRequest) -> WireReply:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), dict(headers)]
            return lambda data: None

        body: Iterable[bytes] = app.wsgi_app(_environ(asked), start_response)
        content = b"".join(body)
        return WireReply(started[0], started[1], content)

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
        "CONTENT_LENGTH": asked.headers.get("content-length", "0"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": asked.body,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return environ | {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in asked.headers.items()}
