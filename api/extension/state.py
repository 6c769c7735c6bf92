"""The state of the house as a whole: emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

if TYPE_CHECKING:
    from api.app import FrontDoor


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""

    def forget() -> None:
        door.house.reset()
        door.requests.clear()
        door.house.clock.restore()
        door.house.trouble.clear()

    @app.post("/_sagelet/reset")
    def reset() -> ResponseReturnValue:
        forget()
        return jsonify(status="empty")

    @app.post("/moto-api/reset")
    def reset_as_moto() -> ResponseReturnValue:
        """What the decorators of moto call in its server mode, and what they are answered."""
        forget()
        return jsonify(status="ok")
