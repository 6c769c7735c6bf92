"""Reads from the words of a status how records of a kind move by themselves: Pending -> InService, Deleting -> gone.

Says where each verb leads; `resources.moving` lets the time pass in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from emulator.kinds.derive import derive
from emulator.kinds.kind import Kind, Move

BEGIN = ("Creating", "CREATING", "Pending", "Initializing", "CreateInProgress", "Importing")
UPDATING = ("Updating", "UPDATING", "UpdateInProgress")
UPDATED = ("Updated", "UpdateCompleted")
DELETING = ("Deleting", "DELETING", "DeleteInProgress")


@cache
def _derived(noun: str, service: str) -> Mapping[str, Move]:
    derived = derive(noun, service)
    rest = derived.settled
    shape = derived.answered.get(derived.status_member)
    words: tuple[str, ...] = tuple(getattr(shape, "enum", None) or ()) if shape is not None else ()
    if not rest:
        return {}
    begin = _first(BEGIN, words)
    found = {"Create": Move(begin, rest), "Delete": Move(_first(DELETING, words))}
    if updating := _first(UPDATING, words):
        found["Update"] = Move(updating, _first(UPDATED, words) or rest)
    if "Stopping" in words:
        found["Stop"] = Move("Stopping", "Stopped")
        found["Start"] = (
            Move("Starting", "Started") if "Starting" in words else Move(begin, rest, ("Stopped", "Failed"))
        )
    return found


def _first(wanted: tuple[str, ...], words: tuple[str, ...]) -> str:
    return next((word for word in wanted if word in words), "")


def derived_moves(kind: Kind) -> Mapping[str, Move]:
    """Where the model's words say that each verb leads; nothing for kinds that an engine moves."""
    return {} if kind.lifecycle else _derived(kind.noun, kind.service)


def moves(kind: Kind) -> Mapping[str, Move]:
    """Where each verb leads."""
    return {**derived_moves(kind), **kind.moves}
