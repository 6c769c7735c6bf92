"""Who takes part in the life of records beside their rooms: told of it, or asked what is known only now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.resources.quotas import Quota
from emulator.store.records import Record

Publish = Callable[[str, Record], None]
"""Told of every record that was "created", "updated" or "deleted", after the commit."""

Compute = Callable[[Record, Mapping[str, Any]], Mapping[str, Any]]
"""Adds to a Describe answer what is known only now."""


def as_is(record: Record, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is written is all there is to tell."""
    return body


def _quiet(event: str, record: Record) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Hooks:
    """Who takes part in the life of records. `pace`: seconds that a status takes which moves by itself; `quotas`: how
    many records there may be, by noun; `followed`: kinds whose records are marked when written, for who comes back."""

    publish: Publish = _quiet
    compute: Compute = as_is
    pace: float = 0.0
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    followed: frozenset[str] = frozenset()
