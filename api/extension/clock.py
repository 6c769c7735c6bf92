"""The time of the house: shown, moved, stopped. The machine's own, which programs of jobs see, stays as it is."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from api.extension import given
from emulator.clock import AdjustableClock
from emulator.errors import Validation

if TYPE_CHECKING:
    from api.app import FrontDoor

APART = (("advance", "set"), ("freeze", "resume"))
"""Members that contradict each other."""


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""
    clock = door.house.clock

    @app.get("/_sagelet/clock")
    def show_clock() -> ResponseReturnValue:
        return jsonify(shown(clock))

    @app.post("/_sagelet/clock")
    def move_clock() -> ResponseReturnValue:
        move(clock, _asked())
        return jsonify(shown(clock))

    @app.delete("/_sagelet/clock")
    def restore_clock() -> ResponseReturnValue:
        clock.restore()
        return jsonify(shown(clock))


def shown(clock: AdjustableClock) -> dict[str, Any]:
    """The clock as JSON."""
    now, waiting = clock.now(), clock.waiting()
    iso = datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    due = waiting[0] if waiting else None
    return {
        "now": now,
        "iso": iso,
        "offset": clock.offset,
        "frozen": clock.frozen,
        "waiting": len(waiting),
        "next": due,
    }


def move(clock: AdjustableClock, asked: dict[str, Any]) -> None:
    """Stop it or let it go on, then move it. What becomes due on the way has run when this returns."""
    if asked.get("freeze"):
        clock.freeze()
    if asked.get("resume"):
        clock.resume()
    if "set" in asked:
        clock.set(asked["set"])
    if "advance" in asked:
        clock.advance(asked["advance"])


def _asked() -> dict[str, Any]:
    asked = given.members({"advance": float, "set": given.Moment, "freeze": bool, "resume": bool})
    if not asked:
        raise Validation("Give what is to be done with the clock: advance, set, freeze or resume.")
    for one, other in APART:
        if one in asked and other in asked:
            raise Validation(f"{one} and {other} contradict each other. Give one of them.")
    if asked.get("advance", 0.0) < 0:
        raise Validation(f"advance is {asked['advance']}; it must not be negative. Go back with set.")
    if not asked.get("advance", 0.0) < given.LATEST:
        raise Validation(f"advance is {asked['advance']}, which is too far.")
    return asked
