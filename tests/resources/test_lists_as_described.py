"""Every list call of every kind of record: each filter, order and size of a page, against a filter over what Describe
answers of each record (`oracle`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from emulator.call import Call
from emulator.errors import Validation
from emulator.house import House
from emulator.kinds import KINDS, Kind
from emulator.kinds.derive import fit
from emulator.kinds.facts import Facts
from tests.resources.oracle import Oracle
from tests.resources.population import SCOPE, Population

COUNT = 15
COMPUTED = {
    "TrainingPlan": "test_training_plans",
    "EdgeDeploymentPlan": "test_edge",
    "ModelCardExportJob": "test_model_cards",
}
"""Kinds whose lists tell what only their own operations put into a record, and where those are looked at."""

LISTED = [
    kind
    for kind in KINDS
    if not kind.work
    and kind.versions is None
    and kind.noun not in COMPUTED
    and Facts(kind).operation("List")
    and Facts(kind).operation("Create")
]


class Caller:
    """Asks a list call as a client does."""

    def __init__(self, house: House, oracle: Oracle) -> None:
        self._house, self._oracle = house, oracle

    def pages(self, params: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        token: dict[str, str] = {}
        for _ in range(3 * COUNT):
            answer = self.page({**params, **token})
            yield [fit(self._oracle.summary_shape, shown) for shown in answer[self._oracle.answer]]
            if "NextToken" not in answer:
                return
            token = {"NextToken": answer["NextToken"]}
        raise AssertionError(f"there is no end: {params}")

    def page(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {**self._oracle.always, **params}
        return self._house.dispatch(Call("sagemaker", self._oracle.facts.operation("List"), given, SCOPE))

    def agrees(self, params: Mapping[str, Any]) -> None:
        pages = list(self.pages(params))
        size = params.get("MaxResults") or self._oracle.facts.kind.listing.page
        assert [shown for page in pages for shown in page] == self._oracle.expected(params), params
        cut_first = self._oracle.facts.kind.listing.page_first
        if not any(name in params for name in cut_first):
            assert all(len(page) == size for page in pages[:-1]) and len(pages[-1]) <= size, params

    def allowed(self, member: str, values: list[Any]) -> list[Any]:
        """Those of some values that the model lets through."""
        found = []
        for value in values:
            try:
                self.page({member: value})
            except Validation as refusal:
                assert "validation error" in refusal.message, (member, value, refusal.message)
            else:
                found.append(value)
        assert found, member
        return found


@pytest.fixture
def house() -> Iterator[House]:
    house = House.for_tests()
    yield house
    house.close()


@pytest.mark.parametrize("kind", LISTED, ids=[kind.noun for kind in LISTED])
def test_records_that_stay_are_listed_once_while_others_come_and_go(house: House, kind: Kind) -> None:
    population = Population(house, kind, COUNT)
    oracle = Oracle(population)
    caller = Caller(house, oracle)
    orders = list(oracle.inputs["SortOrder"].enum) if "SortOrder" in oracle.inputs else [None]
    for by in oracle.sorts or [None]:
        for order in orders:
            asked = {"SortBy": by, "SortOrder": order, "MaxResults": 3}
            pages = caller.pages({name: value for name, value in asked.items() if value is not None})
            before = oracle.expected(asked)
            seen = next(pages)
            last = seen[-1]
            gone = oracle.summary(population.lose(lambda known, last=last: oracle.summary(known) == last))
            came = [oracle.summary(known) for known in population.gain(2)]
            seen += [shown for page in pages for shown in page]
            assert all(seen.count(shown) == 1 for shown in seen)
            assert [shown for shown in seen if shown not in came] == before, "who was there is seen in order"
            assert gone in before


@pytest.mark.parametrize("kind", LISTED, ids=[kind.noun for kind in LISTED])
def test_a_list_is_what_describe_answers_filtered_sorted_and_cut(house: House, kind: Kind) -> None:
    oracle = Oracle(Population(house, kind, COUNT))
    caller, choice = Caller(house, oracle), random.Random(kind.noun)
    sizes = [size for size in (1, 4, 100, None) if "MaxResults" in oracle.inputs]
    orders = list(oracle.inputs["SortOrder"].enum) if "SortOrder" in oracle.inputs else []

    def paged(size: int | None, by: str | None, order: str | None) -> dict[str, Any]:
        asked = {"MaxResults": size, "SortBy": by, "SortOrder": order}
        return {name: value for name, value in asked.items() if value is not None}

    def somehow() -> dict[str, Any]:
        return paged(choice.choice(sizes), choice.choice([*oracle.sorts, None]), choice.choice([*orders, None]))

    for size in sizes:
        for by in (*oracle.sorts, None):
            for order in (*orders, None):
                caller.agrees(paged(size, by, order))
    values = {member: caller.allowed(member, oracle.choices(member)) for member in oracle.filters}
    for member, wanted in values.items():
        for value in wanted:
            caller.agrees({member: value, **somehow()})
    for members in ((one, two) for one in values for two in values if one < two):
        if oracle.noun == "App" and set(members) == {"UserProfileNameEquals", "SpaceNameEquals"}:
            continue  # the service does not take both
        for _ in range(4):
            caller.agrees({**{member: choice.choice(values[member]) for member in members}, **somehow()})
