"""Names that differ only in case are one name for some kinds, and their case is kept."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import CallerFault


@pytest.mark.parametrize(("noun", "member"), [("Experiment", "ExperimentName"), ("Endpoint", "EndpointName")])
def test_a_name_is_taken_in_every_case(registry: Any, noun: str, member: str) -> None:
    made = registry.create(noun, **{member: "Abalone"})
    with pytest.raises(CallerFault, match="lready exist") as taken:
        registry.create(noun, **{member: "aBALONE"})
    assert "balone" in taken.value.message
    assert made.key == "Abalone"


def test_models_may_differ_in_case_alone(registry: Any) -> None:
    registry.create("Model", ModelName="Abalone")
    assert registry.create("Model", ModelName="abalone").key == "abalone"
