"""Expressions: how filters are joined, what a nested filter is about, and how many there may be."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import Validation
from emulator.resources.search.expression import read
from emulator.resources.search.searchable import searchable


def filters(*given: str) -> list[dict[str, str]]:
    """`name=value` is Equals, `name~value` Contains."""
    found = []
    for one in given:
        sign = "=" if "=" in one else "~"
        name, _, value = one.partition(sign)
        found.append({"Name": name, "Operator": {"=": "Equals", "~": "Contains"}[sign], "Value": value})
    return found


def matches(expression: dict[str, Any], body: dict[str, Any], resource: str = "TrainingJob") -> bool:
    return read(expression, searchable(resource).names).matches(body)


A, B = "TrainingJobName=a", "RoleArn=b"
BOTH = {"TrainingJobName": "a", "RoleArn": "b"}
CHANNELS = {
    "InputDataConfig": [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://old/data"}}},
        {"ChannelName": "test", "DataSource": {"S3DataSource": {"S3Uri": "s3://new/data"}}},
    ]
}


def test_all_must_match_unless_one_is_enough() -> None:
    assert matches({"Filters": filters(A, B)}, BOTH)
    assert not matches({"Filters": filters(A, B)}, {"TrainingJobName": "a"})
    assert matches({"Filters": filters(A, B), "Operator": "Or"}, {"TrainingJobName": "a"})
    inner = {"Filters": filters(A, B), "Operator": "Or"}
    assert matches(
        {"SubExpressions": [inner], "Filters": filters("TrainingJobStatus=x")}, {**BOTH, "TrainingJobStatus": "x"}
    )
    assert not matches({"SubExpressions": [inner], "Filters": filters("TrainingJobStatus=x")}, BOTH)
    assert matches({"SubExpressions": [inner], "Filters": filters("TrainingJobStatus=x"), "Operator": "Or"}, BOTH)


def test_one_element_must_satisfy_all_filters_of_a_nested_one() -> None:
    def nested(*given: str) -> dict[str, Any]:
        return {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": filters(*given)}]}

    uri = "InputDataConfig.DataSource.S3DataSource.S3Uri"
    assert matches(nested("InputDataConfig.ChannelName=train", f"{uri}~old"), CHANNELS)
    assert not matches(nested("InputDataConfig.ChannelName=train", f"{uri}~new"), CHANNELS)
    assert matches({"Filters": filters("InputDataConfig.ChannelName=train", f"{uri}~new")}, CHANNELS)
    negated = [{"Name": "InputDataConfig.ChannelName", "Operator": "NotEquals", "Value": "train"}]
    expression = {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": negated}]}
    assert matches(expression, CHANNELS), "test is not train"
    assert not matches({"Filters": negated}, CHANNELS)
    assert not matches(nested("InputDataConfig.ChannelName=train"), {})


def test_a_nested_filter_asks_about_its_own_list() -> None:
    for name in ("TrainingJobName", "InputDataConfig", "InputDataConfigs.ChannelName", "OutputDataConfig.S3OutputPath"):
        nested = {"NestedPropertyName": "InputDataConfig", "Filters": filters(f"{name}=x")}
        with pytest.raises(Validation, match="not a property in InputDataConfig"):
            read({"NestedFilters": [nested]}, searchable("TrainingJob").names)


@pytest.mark.parametrize("expression", [{}, {"Operator": "Or"}, {"Filters": filters(A), "SubExpressions": [{}]}])
def test_an_expression_says_something(expression: dict[str, Any]) -> None:
    with pytest.raises(Validation, match="at least one subexpression, filter, or nested filter"):
        matches(expression, BOTH)


def test_there_are_at_most_fifty_parts_however_deep() -> None:
    twenty = filters(*[f"TrainingJobName={n}" for n in range(20)])
    expression = {"Filters": twenty, "SubExpressions": [{"Filters": twenty}, {"Filters": twenty[:8]}]}
    assert not matches(expression, BOTH)
    expression["SubExpressions"][1]["Filters"] = twenty[:9]  # type: ignore[index]
    with pytest.raises(Validation, match="at most 50"):
        matches(expression, BOTH)


def test_contains_is_used_once_a_name_but_for_some() -> None:
    twice = {"Filters": filters("TrainingJobName~a", "TrainingJobName~b")}
    with pytest.raises(Validation) as refused:
        matches(twice, BOTH)
    assert str(refused.value) == "'CONTAINS' operator usage limit of 1 exceeded."
    with pytest.raises(Validation):
        matches({"Filters": twice["Filters"][:1], "SubExpressions": [{"Filters": twice["Filters"][1:]}]}, BOTH)
    assert matches({"Filters": filters("TrainingJobName~a", "RoleArn~b")}, BOTH)
    free = {"Filters": filters("ExperimentName~a", "ExperimentName~b", "Tags.x~a", "Tags.x~b")}
    assert not matches(free, {}, "Experiment")
    with pytest.raises(Validation):
        matches({"Filters": filters("Tags.x~a", "Tags.x~b")}, {}, "TrainingJob")
