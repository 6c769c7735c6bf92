"""What clients of the proxy need (`api.proxy`); the proxy itself is the server's own address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

if TYPE_CHECKING:
    from api.app import FrontDoor


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""

    @app.post("/_sagelet/proxy")
    def proxy() -> ResponseReturnValue:
        authority = door.authority
        return jsonify(certificate=authority.certificate(), folder=str(authority.folder))
