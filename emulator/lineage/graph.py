"""A walk over associations from one entity, and which of them lie on the way to what is looked for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from emulator.store.links import DESTINATION, SOURCE, Link

LinksOf = Callable[[str, Sequence[str]], Iterable[Link]]
"""(end, ARNs) -> all associations that have one of the ARNs at that end."""

Enough = Callable[[Mapping[str, int]], bool]
"""Whether what was reached, with its depths, is all that is needed."""

ENDS: Mapping[str, tuple[str, ...]] = {
    "Descendants": (SOURCE,),
    "Ascendants": (DESTINATION,),
    "Both": (SOURCE, DESTINATION),
}
"""The end of an association from which each direction follows it."""


@dataclass(frozen=True)
class Walk:
    """`depths`: what was reached, each with the number of associations on the shortest way; `steps`: the associations
    that were followed, each with the end from which it was."""

    start: str
    depths: Mapping[str, int]
    steps: Sequence[tuple[str, Link]]
    both: bool = False

    def types(self) -> dict[str, str]:
        """The types of the entities at the ends of what was followed."""
        found: dict[str, str] = {}
        for _, link in self.steps:
            facts = link.facts
            found[link.source] = facts.get("SourceType", "")
            found[link.destination] = facts.get("DestinationType", "")
        return found

    def ways_to(self, wanted: Iterable[str]) -> set[str]:
        """What lies on the ways from the start to any of `wanted`, both ends included. In both directions at once
        everything is on some way to everything: there only the shortest ways count."""
        before: dict[str, list[str]] = {}
        for end, link in self.steps:
            near, far = (link.source, link.destination) if end == SOURCE else (link.destination, link.source)
            if not self.both or self.depths[near] < self.depths[far]:
                before.setdefault(far, []).append(near)
        found, left = set[str](), list(wanted)
        while left:
            arn = left.pop()
            if arn not in found:
                found.add(arn)
                left += before.get(arn, ())
        return found

    def edges(self, ends: Collection[str]) -> list[Link]:
        """Each association that was followed from or to one of `ends`, once."""
        near = (link for _, link in self.steps if link.source in ends or link.destination in ends)
        return list({(link.source, link.destination): link for link in near}.values())


def walk(start: str, direction: str, most: int, links_of: LinksOf, enough: Enough | None = None) -> Walk:
    """Follow associations from `start`, at the most `most` of them in a row.

    Where `enough` says that what was reached suffices, one step more is made: to what lies between the last reached.
    """
    depths = {start: 0}
    steps: list[tuple[str, Link]] = []
    frontier, sufficed = [start], False
    for depth in range(1, most + 1):
        reached = []
        for end in ENDS[direction]:
            for link in links_of(end, frontier):
                steps.append((end, link))
                there = link.destination if end == SOURCE else link.source
                if there not in depths:
                    depths[there] = depth
                    reached.append(there)
        frontier = reached
        if not frontier or sufficed:
            break
        sufficed = enough is not None and enough(depths)
    return Walk(start, depths, steps, direction == "Both")
