"""Whether a record may be deleted that others name: the kind's error while one of them does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.resources.faults import fault
from emulator.store.records import Query, Record

PAGE = 200


def refuse_if_used(rooms: Rooms, record: Record, noun: str, uses: Callable[[Record], bool], **narrowed: Any) -> None:
    """Raise the error for deleting `record` when one of `noun` uses it; `narrowed` is more of the query for those."""
    users = rooms.resources.each(Query(noun, record.scope, PAGE, **narrowed))
    if any(uses(user) for user in users):
        facts = rooms.resources.facts(record.kind)
        raise fault(facts.occupied, facts, record.key, record.arn, others=noun)


def mentions(value: Any, word: str) -> bool:
    """Whether a string is anywhere in a value."""
    if isinstance(value, Mapping):
        return any(mentions(item, word) for item in value.values())
    if isinstance(value, list):
        return any(mentions(item, word) for item in value)
    return bool(value == word)
