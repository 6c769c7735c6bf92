"""Fault rules: what is to go wrong on purpose, with how often it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from api.extension import given
from emulator import trouble

if TYPE_CHECKING:
    from api.app import FrontDoor

MEMBERS: given.Kinds = {
    "kind": str,
    **dict.fromkeys(trouble.PATTERNS, str),
    "probability": float,
    "times": int,
    "seed": int,
    "seconds": float,
    "code": str,
    "message": str,
    "status": int,
    "reason": str,
}


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""
    book = door.house.trouble

    @app.get("/_sagelet/faults")
    def faults() -> ResponseReturnValue:
        return jsonify(faults=book.all())

    @app.post("/_sagelet/faults")
    def add_fault() -> ResponseReturnValue:
        return jsonify(book.add(trouble.made(given.members(MEMBERS)))), 201

    @app.delete("/_sagelet/faults")
    def forget_faults() -> ResponseReturnValue:
        book.clear()
        return jsonify(status="empty")

    @app.delete("/_sagelet/faults/<rule>")
    def forget_fault(rule: str) -> ResponseReturnValue:
        return jsonify(book.remove(rule))
