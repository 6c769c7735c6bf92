"""Records that are to be seen for a while after their deletion: Deleted apps, projects that are DeleteCompleted."""

from __future__ import annotations

from emulator.behaviours.rooms import Rooms
from emulator.call import Scope
from emulator.store.records import Query

SHOWN = 24 * 3600.0
"""Seconds for which they are (for apps: API_DescribeApp, CreationTime)."""


def forget(rooms: Rooms, noun: str, scope: Scope, status: str) -> None:
    """Remove the records of a noun that came to this status more than a day ago."""
    until = rooms.clock.now() - SHOWN
    for record in rooms.resources.each(Query(noun, scope, 100, statuses=(status,), modified=(None, until))):
        rooms.resources.remove(noun, scope, record.key, statuses=(status,))
