"""Images that a program on this machine answers for with functions of its own (`sagelet.testing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from api.extension import given
from emulator import functions

if TYPE_CHECKING:
    from api.app import FrontDoor

MEMBERS: given.Kinds = {
    "image": str,
    "port": int,
    "token": str,
    **dict.fromkeys(functions.VERBS, bool),
    "account": str,
    "pid": int,
}


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""

    @app.get("/_sagelet/functions")
    def function_images() -> ResponseReturnValue:
        return jsonify(functions=door.house.functions.all())

    @app.post("/_sagelet/functions")
    def add_function_image() -> ResponseReturnValue:
        return jsonify(door.house.functions.add(functions.made(given.members(MEMBERS)))), 201

    @app.delete("/_sagelet/functions/<image>")
    def forget_function_image(image: str) -> ResponseReturnValue:
        return jsonify(door.house.functions.remove(image))
