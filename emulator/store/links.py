"""What the store keeps of how records hang together: links between two ARNs, and marks on records to come back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from emulator.call import Scope

NO_FACTS: Mapping[str, Any] = {}

SOURCE = "source"
DESTINATION = "destination"
"""The ends of a link."""


class Link(NamedTuple):
    """A directed edge of a relation, from one ARN to another; there is one at the most of a relation between two.

    `facts` is what is known of it (JSON values); `created` seconds since the epoch; `number` grows with each link that
    is made, so that positions in a listing are unique. A tuple, since a walk reads tens of thousands.
    """

    scope: Scope
    relation: str
    source: str
    destination: str
    created: float
    facts: Mapping[str, Any] = NO_FACTS
    number: int = 0


@dataclass(frozen=True)
class LinkQuery:
    """A page of links of one relation. `sort` is `created`, `source` or `destination`; ties are broken by `number`.

    `after` is the position behind which the page begins: (sort value, number) of the last link seen. `created` bounds
    the time of creation, exclusively.
    """

    scope: Scope
    relation: str
    limit: int
    source: str = ""
    destination: str = ""
    created: tuple[float | None, float | None] = (None, None)
    sort: str = "created"
    descending: bool = False
    after: tuple[Any, int] | None = None


@dataclass(frozen=True)
class Linked:
    """The records at the ends of links of a relation that have `arn` at their other end, which is `end`."""

    relation: str
    end: str
    arn: str


@dataclass(frozen=True)
class Mark:
    """A record that was written and that somebody comes back to: which, at which version, and whether it was new."""

    arn: str
    version: int
    fresh: bool
