"""A walk over associations from one entity, and which of them lie on the way to what is looked for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from emulator.store.links import DESTINATION, SOURCE, Link

LinksOf = Callable[[str, Sequence[str]], Iterable[Link]]
"""(end, ARNs) -> all associations that have one of the ARNs at that end."""

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
    steps: Mapping[tuple[str, str, str], Link]
    both: bool = False

    def types(self) -> dict[str, str]:
        """The types of the entities at the ends of what was followed."""
        found: dict[str, str] = {}
        for link in self.steps.values():
            found[link.source] = link.facts.get("SourceType", "")
            found[link.destination] = link.facts.get("DestinationType", "")
        return found

    def ways_to(self, wanted: Iterable[str]) -> set[str]:
        """What lies on the ways from the start to any of `wanted`, both ends included. In both directions at once
        everything is on some way to everything: there only the shortest ways count."""
        before: dict[str, list[str]] = {}
        for (_, _, end), link in self.steps.items():
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

    def edges(self) -> Iterable[Link]:
        """Each association that was followed, once."""
        return {(source, destination): link for (source, destination, _), link in self.steps.items()}.values()


def walk(start: str, direction: str, most: int, links_of: LinksOf) -> Walk:
    """Follow associations from `start`, at the most `most` of them in a row."""
    depths = {start: 0}
    steps: dict[tuple[str, str, str], Link] = {}
    frontier = [start]
    for depth in range(1, most + 1):
        reached = []
        for end in ENDS[direction]:
            for link in links_of(end, frontier):
                steps[link.source, link.destination, end] = link
                there = link.destination if end == SOURCE else link.source
                if there not in depths:
                    depths[there] = depth
                    reached.append(there)
        frontier = reached
    return Walk(start, depths, steps, direction == "Both")
