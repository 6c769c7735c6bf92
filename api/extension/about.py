"""What the server is and does: health, version, status, the logs of jobs, and the description of this API."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import botocore
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from api.extension import given
from api.proxy import FOLDER

if TYPE_CHECKING:
    from api.app import FrontDoor

DESCRIPTION = Path(__file__).with_name("openapi.json")


def version() -> str:
    """The version that is installed."""
    try:
        return metadata.version("sagelet")
    except metadata.PackageNotFoundError:
        return "unknown"


def routes(app: Flask, door: FrontDoor) -> None:
    """Add the routes of this topic."""
    house = door.house

    @app.get("/_sagelet/health")
    def health() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.get("/_sagelet/version")
    def versions() -> ResponseReturnValue:
        python, known = platform.python_version(), botocore.__version__
        return jsonify(sagelet=version(), botocore=known, python=python, schema=house.schema)

    @app.get("/_sagelet/status")
    def status() -> ResponseReturnValue:
        proxied = Path(house.settings.data_dir, FOLDER).exists()
        until = door.authority.until() if proxied else ""
        return jsonify({"version": version(), **house.status(), "proxy": until})

    @app.get("/_sagelet/logs")
    def logs() -> ResponseReturnValue:
        return jsonify(house.log_lines(request.args.get("job", ""), _places(request.args.get("places", "{}"))))

    @app.get("/_sagelet/openapi.json")
    def description() -> ResponseReturnValue:
        return Response(DESCRIPTION.read_bytes(), mimetype=given.JSON)


def _places(text: str) -> dict[str, int]:
    """Where a reader of logs has come to, as the answer before told him; from the beginning if that is garbled."""
    try:
        return {str(name): max(0, int(offset)) for name, offset in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError):
        return {}
