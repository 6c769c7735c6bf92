"""What a request names must exist: in the words of the thing's kind, with a code that the operation has."""

from __future__ import annotations

from emulator.behaviours.rooms import Rooms
from emulator.call import Scope
from emulator.errors import NotFound, Validation
from emulator.store.records import Record


def must_exist(rooms: Rooms, kind: str, scope: Scope, key: str) -> Record:
    """The record of a key or ARN; `Validation` for an absent one: most Create calls model no `ResourceNotFound`."""
    try:
        return rooms.resources.get(kind, scope, key)
    except NotFound as absent:
        raise Validation(absent.message) from None
