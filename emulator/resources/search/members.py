"""Members of a record that are no part of its body: what a search shows of other records, or of this moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.store.records import Record

KEPT = "kept"
"""The value changes only when the record is written, or `Search.touch` says so: it can be indexed."""

GROWING = "growing"
"""Until the body has the member, it changes by itself; from then on it is what the body says."""

AFRESH = "afresh"
"""The value comes from other records, which nobody watches: it is never indexed."""


@dataclass(frozen=True)
class Computed:
    """A member of a kind's search results, computed: `value(record)`, None where there is none. It must not write."""

    value: Callable[[Record], Any]
    keeps: str = AFRESH

    def settled(self, name: str, record: Record) -> bool:
        """Whether the value stays what it is while nobody writes."""
        return self.keeps != GROWING or name in record.body


Members = Callable[[str], Mapping[str, Computed]]
"""The computed members of a kind, by its noun."""


def none(noun: str) -> Mapping[str, Computed]:
    """Nothing is computed."""
    return {}
