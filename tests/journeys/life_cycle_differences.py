"""What the life of a record of one kind needs beyond what the table of kinds says: requests that make sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Edit = Callable[[Any, dict[str, Any]], dict[str, Any]]
"""(world, generated request) -> the request that is sent."""


def _as_it_is(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return params


@dataclass(frozen=True)
class Difference:
    """What is particular to a kind."""

    request: Edit = _as_it_is
    update: Edit = _as_it_is
    leave: tuple[str, ...] = ()
    """Members of Create and Update that are not sent."""
    listing: Mapping[str, Any] = field(default_factory=dict)
    """Required members of List that neither the request nor Describe has."""
    unfiltered: tuple[str, ...] = ()
    """Parameters of List that need more than one record of this kind."""
    why: str = ""


DIFFERENCES: Mapping[str, Difference] = {}
