"""Corrections of AWS's models: JSON Patch (RFC 6902: add, replace, remove, test), each patch with its reason.

A patch that no longer applies stops the server: silence would bring back the fault that it once repaired.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "overlays"


class OverlayError(Exception):
    """A patch of an overlay does not fit the model that is installed; the message names patch and model."""


def path(service: str) -> Path:
    """Where the overlay of a service is, if it has one."""
    return FOLDER / f"{service}.json"


def read(service: str) -> list[dict[str, Any]]:
    """The patches for a service."""
    try:
        patches: list[dict[str, Any]] = json.loads(path(service).read_text())
    except FileNotFoundError:
        return []
    return patches


def apply(model: Any, patches: list[dict[str, Any]], service: str) -> None:
    """Change `model` in place."""
    for patch in patches:
        if not patch.get("reason"):
            raise OverlayError(f"overlay of {service}: the patch of {patch.get('path')} gives no reason")
        try:
            _apply_one(model, patch)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise OverlayError(
                f"overlay of {service}: {patch['op']} {patch['path']} does not apply to the installed botocore"
                f" ({type(error).__name__}: {error}); it was meant for: {patch['reason']}"
            ) from error


def _apply_one(model: Any, patch: dict[str, Any]) -> None:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in patch["path"].split("/")[1:]]
    holder = model
    for step in steps[:-1]:
        holder = holder[int(step) if isinstance(holder, list) else step]
    last: Any = steps[-1]
    verb = patch["op"]
    if isinstance(holder, list):
        last = len(holder) if last == "-" else int(last)
    if verb == "add" and isinstance(holder, list):
        holder.insert(last, patch["value"])
    elif verb == "add":
        holder[last] = patch["value"]
    elif verb == "remove":
        del holder[last]
    elif verb == "replace":
        holder[last]  # must exist
        holder[last] = patch["value"]
    elif verb != "test" or holder[last] != patch["value"]:
        raise ValueError(f"{verb} is unknown, or the value is {holder.get(last)!r}")
