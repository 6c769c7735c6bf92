"""Describe answers what was not given as the service does: held against tests/facts/defaults.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FACTS = json.loads((Path(__file__).parents[1] / "facts" / "defaults.json").read_text())


@pytest.mark.parametrize("fact", FACTS, ids=[fact["kind"] for fact in FACTS])
def test_what_was_not_given_is_answered_all_the_same(registry: Any, fact: dict[str, Any]) -> None:
    record = registry.create(fact["kind"], **fact["given"])
    assert {name: record.body.get(name) for name in fact["answers"]} == fact["answers"]
    assert fact["source"]


def test_what_every_answer_must_have_is_answered_though_it_was_given_empty(registry: Any) -> None:
    given = {"JobDefinitionName": "q", "DataQualityJobInput": {}, "NetworkConfig": {}, "RoleArn": "r"}
    registry.do("CreateDataQualityJobDefinition", **given)
    body = registry.do("DescribeDataQualityJobDefinition", JobDefinitionName="q")
    assert body["DataQualityJobInput"] == {}
    assert "NetworkConfig" not in body
