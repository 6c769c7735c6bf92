"""The state of the house: all of it or that of one account or region emptied; all of it copied, and loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnsupportedMediaType

from api.extension import given
from api.requests import Entry
from emulator.call import EVERYTHING, Extent, Scope
from emulator.errors import Validation

if TYPE_CHECKING:
    from api.app import FrontDoor

ZIP = "application/zip"

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""

    @app.post("/_sagelet/reset")
    def reset() -> ResponseReturnValue:
        extent = _asked()
        left = forget(door, extent)
        return jsonify(status="empty", account=extent.account, region=extent.region, left=left)

    @app.get("/_sagelet/snapshot")
    def save() -> ResponseReturnValue:
        if request.method == "HEAD":
            return Response(mimetype=ZIP)
        saving = door.house.snapshot()
        manifest = saving.manifest
        headers = {
            "Content-Disposition": f'attachment; filename="{manifest.name}.zip"',
            "X-Sagelet-Size": str(manifest.size),
        }
        return Response(saving, mimetype=ZIP, headers=headers)

    @app.route("/_sagelet/snapshot", methods=["POST", "PUT"])
    def load() -> ResponseReturnValue:
        if request.mimetype != ZIP:
            raise UnsupportedMediaType(f"A snapshot must come with the header Content-Type: {ZIP}.")
        told = door.house.load(request.stream)
        door.house.clock.restore()
        door.requests.clear()
        return jsonify(status="loaded", **told)

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
