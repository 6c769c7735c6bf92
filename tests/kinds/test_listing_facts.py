"""Kinds are listed as the API reference says, or as was seen where that differs (tests/facts/listing.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.kinds import KINDS, Kind
from emulator.kinds.derive import operation
from emulator.kinds.kind import Listing
from emulator.resources.listing import SORTS

RECORDED = json.loads((Path(__file__).parents[1] / "facts" / "listing.json").read_text())
LISTED = [kind for kind in KINDS if operation(kind, "List") in RECORDED["documented"]]
UNDOCUMENTED = Listing()
"""What goes where nothing is known: by age, the newest first, ten on a page."""


def known(kind: Kind) -> dict[str, str | int]:
    """What is known of a kind's list call."""
    name = operation(kind, "List")
    return {**RECORDED["documented"][name], **RECORDED["seen"].get(name, {})}


@pytest.mark.parametrize("kind", LISTED, ids=[kind.noun for kind in LISTED])
def test_the_order_of_a_list_is_the_known_one(kind: Kind) -> None:
    facts, (sort, order) = known(kind), kind.listing.sort
    if "sort_by" in facts:
        assert SORTS[sort.lower()] == SORTS[str(facts["sort_by"]).lower()]
    if "order" in facts:
        assert order == facts["order"]


@pytest.mark.parametrize("kind", LISTED, ids=[kind.noun for kind in LISTED])
def test_the_length_of_a_page_is_the_known_one(kind: Kind) -> None:
    assert kind.listing.page == known(kind).get("page", UNDOCUMENTED.page)


def test_what_was_seen_has_a_source() -> None:
    assert all(
        facts["source"] and set(facts) <= {"sort_by", "order", "page", "source"} for facts in RECORDED["seen"].values()
    )
