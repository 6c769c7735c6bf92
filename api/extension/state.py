"""The state of the house as a whole, or of one account or region: emptied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from api.extension import given
from api.requests import Entry
from emulator.call import EVERYTHING, Extent, Scope
from emulator.errors import Validation

if TYPE_CHECKING:
    from api.app import FrontDoor

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""

    @app.post("/_sagelet/reset")
    def reset() -> ResponseReturnValue:
        extent = _asked()
        left = forget(door, extent)
        return jsonify(status="empty", account=extent.account, region=extent.region, left=left)

    @app.post("/moto-api/reset")
    def reset_as_moto() -> ResponseReturnValue:
        """What the decorators of moto call in its server mode, and what they are answered."""
        forget(door, EVERYTHING)
        return jsonify(status="ok")


def forget(door: FrontDoor, extent: Extent) -> list[str]:
    """Empty a part of the house, or all of it; then the clock shows the machine's time again, too."""
    left = door.house.reset(extent)
    if extent.everything:
        door.house.clock.restore()
        door.requests.clear()
    else:
        door.requests.clear(lambda entry: _is_within(entry, extent))
    return left


def _is_within(entry: Entry, extent: Extent) -> bool:
    return bool(entry.account) and extent.covers(Scope(entry.account, entry.region))


def _asked() -> Extent:
    extent = Extent(**given.members({"account": str, "region": str}))
    if extent.account and not _ACCOUNT.fullmatch(extent.account):
        raise Validation(f"account is {extent.account!r:.100}; it must be 12 digits.")
    if extent.region and not _REGION.fullmatch(extent.region):
        raise Validation(f"region is {extent.region!r:.100}; it must be one like us-east-1.")
    return extent
