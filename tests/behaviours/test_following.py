"""Which operations wait until all that follows from records is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.behaviours.following import sees
from emulator.spec import load

FOLLOWING = {
    "TrialComponentName",
    "TrialComponentArn",
    "ArtifactArn",
    "ContextArn",
    "ActionArn",
    "LineageGroupArn",
    "AssociationType",
}
"""Members that tell of what follows from jobs."""


def members(shape: Any, seen: set[str]) -> Iterator[str]:
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    inner = {"structure": lambda: shape.members.values(), "list": lambda: [shape.member], "map": lambda: [shape.value]}
    if shape.type_name == "structure":
        yield from shape.members
    for part in inner.get(shape.type_name, list)():
        yield from members(part, seen)


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-metrics"])
def test_whoever_is_told_of_what_follows_sees_it(service: str) -> None:
    model = load(service)
    telling = set()
    for name in model.operation_names:
        shapes = (model.operation_model(name).input_shape, model.operation_model(name).output_shape)
        if FOLLOWING & {member for shape in shapes for member in members(shape, set())}:
            telling.add(name)
    assert len(telling) > 20 or service == "sagemaker-metrics"
    assert {name for name in telling if not sees(name)} == set()


@pytest.mark.parametrize("operation", ["Search", "GetSearchSuggestions", "ListTags", "BatchGetMetrics"])
def test_what_tells_by_other_names_sees_it_too(operation: str) -> None:
    assert sees(operation)


@pytest.mark.parametrize(
    "operation", ["CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "StopTrainingJob"]
)
def test_jobs_wait_for_nothing_that_follows_from_jobs(operation: str) -> None:
    assert not sees(operation)
