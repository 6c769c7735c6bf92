"""What is searched of a record, shown of it, and indexed: its body, its tags, and what is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulator.errors import Validation
from emulator.kinds.facts import Facts
from emulator.resources.search.comparing import terms
from emulator.resources.search.members import AFRESH, Computed
from emulator.resources.search.properties import Member, Property
from emulator.resources.search.searchable import Searchable
from emulator.resources.tagging import answer as tags_answer
from emulator.store.records import Record
from emulator.store.terms import Reading, Tags

Heads = frozenset[str]
"""Members of a resource that somebody looks at."""


@dataclass(frozen=True)
class Contents:
    """The contents of the records of one resource."""

    what: Searchable
    facts: Facts
    computed: Mapping[str, Computed]

    def of(self, record: Record, tags: Callable[[], Tags], heads: Heads | None = None) -> dict[str, Any]:
        """The members of a record; with `heads`, of those that cost something only these."""
        inner = dict(record.body)
        if (heads is None or "Tags" in heads) and self.what.shows("Tags"):
            inner["Tags"] = tags_answer(tags())
        body = self.what.wrap(inner)
        for name, member in self.computed.items():
            if heads is None or name in heads:
                value = member.value(record)
                if value is not None:
                    body[name] = value
        return body

    def read(self, record: Record, tags: Callable[[], Tags], names: tuple[str, ...]) -> Reading:
        """The values of properties of a record, for the index."""
        known, heads = _known(self.what, names)
        body = self.of(record, tags, heads)
        settled = all(member.settled(head, record) for head, member in self.computed.items() if head in heads)
        return Reading({name: list(terms(found, body)) for name, found in known.items()}, settled)

    def column(self, found: Property) -> str | None:
        """The native column that has a property's values; "" for a property of the index, None for one without."""
        member = self.computed.get(found.head)
        if member is not None and member.keeps == AFRESH:
            return None
        return self.what.native(found, self.facts)


def heads_of(properties: Iterable[Property]) -> Heads:
    """The members that properties read; of what is wrapped, also those inside."""
    steps = (step for found in properties for way in found.ways for step in way[:2])
    return frozenset(step.name for step in steps if isinstance(step, Member))


@lru_cache(maxsize=64)
def _known(what: Searchable, names: tuple[str, ...]) -> tuple[Mapping[str, Property], Heads]:
    """Indexed properties by name, and the members that they read. None that another version's model knew."""
    known = {}
    for name in names:
        with suppress(Validation):
            known[name] = what.property(name)
    return known, heads_of(known.values())
