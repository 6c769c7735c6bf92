"""What the house remembers of an account in a region that is no resource: a switch that was thrown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.call import Scope
from emulator.store.records import Record, Store

NOTE = "Note"
"""The kind under which notes are kept. It is no noun of the API: nobody describes or lists one."""


class Notes:
    """Values by scope and name; kept as records are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, scope: Scope, name: str) -> Mapping[str, Any]:
        """What was noted last; empty when nothing was."""
        with self._store.read() as transaction:
            note = transaction.get(NOTE, scope, name)
        return note.hidden if note is not None else {}

    def put(self, scope: Scope, name: str, value: Mapping[str, Any]) -> None:
        """Note a value (JSON) in the place of the former one."""
        with self._store.write() as transaction:
            there = transaction.get(NOTE, scope, name)
            if there is None:
                transaction.insert(Record(NOTE, scope, name, "", {}, 0.0, 0.0, hidden=value))
            else:
                transaction.replace(replace(there, hidden=value))
