"""Walks over associations: how far, in which direction, on which ways."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from emulator.call import Scope
from emulator.lineage.graph import LinksOf, walk
from emulator.store.links import SOURCE, Link

SCOPE = Scope("123456789012", "eu-west-1")

DIAMOND = "ab ac bd cd de xb"
"""a leads to d on two ways, d to e, and x to b."""


def links(text: str) -> list[Link]:
    return [Link(SCOPE, "R", *pair, created=1.0, facts={"SourceType": pair[0].upper()}) for pair in text.split()]


def asker(known: list[Link], asked: list[int] | None = None) -> LinksOf:
    def links_of(end: str, arns: Sequence[str]) -> list[Link]:
        if asked is not None:
            asked.append(len(arns))
        return [link for link in known if (link.source if end == SOURCE else link.destination) in arns]

    return links_of


def reached(text: str, start: str, direction: str, most: int = 10) -> dict[str, int]:
    return dict(walk(start, direction, most, asker(links(text))).depths)


def ways(text: str, start: str, direction: str, wanted: str) -> str:
    return "".join(sorted(walk(start, direction, 10, asker(links(text))).ways_to(wanted)))


@pytest.mark.parametrize(
    ("start", "direction", "expected"),
    [
        ("a", "Descendants", {"a": 0, "b": 1, "c": 1, "d": 2, "e": 3}),
        ("a", "Ascendants", {"a": 0}),
        ("d", "Ascendants", {"d": 0, "b": 1, "c": 1, "a": 2, "x": 2}),
        ("c", "Both", {"c": 0, "a": 1, "d": 1, "b": 2, "e": 2, "x": 3}),
        ("alone", "Both", {"alone": 0}),
    ],
)
def test_what_is_reached_and_how_far_it_is(start: str, direction: str, expected: dict[str, int]) -> None:
    assert reached(DIAMOND, start, direction) == expected


def test_a_walk_ends_at_its_depth() -> None:
    chain = "ab bc cd de"
    assert set(reached(chain, "a", "Descendants", 2)) == set("abc")
    assert set(reached(chain, "a", "Descendants", 0)) == {"a"}
    assert set(reached(chain, "c", "Both", 1)) == set("bcd")
    edges = walk("a", "Descendants", 2, asker(links(chain))).edges("abcde")
    assert [(edge.source, edge.destination) for edge in edges] == [("a", "b"), ("b", "c")]


def test_a_circle_is_walked_once() -> None:
    asked: list[int] = []
    found = walk("a", "Descendants", 10, asker(links("ab bc ca aa"), asked))
    assert set(found.depths) == set("abc")
    assert asked == [1] * 3 + [0] * 7 or sum(asked) == 3
    assert len(found.edges("abc")) == 4
    assert len(found.edges("b")) == 2


def test_the_ways_to_what_is_wanted() -> None:
    assert ways(DIAMOND, "a", "Descendants", "e") == "abcde", "both ways count"
    assert ways(DIAMOND, "a", "Descendants", "b") == "ab"
    assert ways("ab bc ac", "a", "Descendants", "c") == "abc", "a longer way is a way"
    assert ways(DIAMOND, "e", "Ascendants", "x") == "bdex"
    assert ways(DIAMOND, "x", "Both", "c") == "abcdx", "the shortest ways: over a and over d"
    assert ways("ab bc ac", "a", "Both", "c") == "ac"
    assert ways(DIAMOND, "a", "Descendants", "") == ""


def test_a_walk_that_has_enough_makes_one_step_more() -> None:
    chain = asker(links("ab bc cd de ca"))
    found = walk("a", "Descendants", 10, chain, lambda depths: len(depths) >= 2)
    assert set(found.depths) == set("abc")
    assert walk("a", "Descendants", 10, chain, lambda depths: False).depths["e"] == 4


def test_types_are_those_of_the_ends() -> None:
    known = [Link(SCOPE, "R", "a", "b", 1.0, {"SourceType": "DataSet"})]
    assert walk("a", "Both", 10, asker(known)).types() == {"a": "DataSet", "b": ""}


def test_walks_over_any_graph_are_those_of_a_plain_search() -> None:
    """Against the obvious: relax all edges `most` times."""
    chance = random.Random(7)
    for _ in range(50):
        names = [chr(97 + number) for number in range(chance.randint(2, 12))]
        drawn = {(chance.choice(names), chance.choice(names)) for _ in range(chance.randint(0, 25))}
        known = [Link(SCOPE, "R", source, destination, 1.0) for source, destination in drawn]
        start, most = names[0], chance.randint(0, 6)
        for direction in ("Descendants", "Ascendants", "Both"):
            ways = {(a, b) for a, b in drawn if direction != "Ascendants"}
            ways |= {(b, a) for a, b in drawn if direction != "Descendants"}
            expected = {start: 0}
            for depth in range(1, most + 1):
                near = {name for name, far in expected.items() if far == depth - 1}
                expected |= {b: depth for a, b in sorted(ways) if a in near and b not in expected}
            assert dict(walk(start, direction, most, asker(known)).depths) == expected
