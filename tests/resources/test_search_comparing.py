"""What passes an operator, by what a property is: numbers, times, hyperparameters, texts."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import Validation
from emulator.resources.search.expression import read
from emulator.resources.search.searchable import searchable

ZERO = 1_700_000_000.0
"""2023-11-14T22:13:20 UTC."""


def matches(name: str, operator: str | None, value: str | None, body: dict[str, Any]) -> bool:
    given = {"Name": name, "Operator": operator, "Value": value}
    return read({"Filters": [given]}, searchable("TrainingJob").names).matches(body)


def hyper(value: str) -> dict[str, Any]:
    return {"HyperParameters": {"x": value}}


CASES: list[tuple[str, str | None, str | None, dict[str, Any], bool]] = [
    # Texts, to the letter
    ("TrainingJobName", "Equals", "job", {"TrainingJobName": "job"}, True),
    ("TrainingJobName", "Equals", "job", {"TrainingJobName": "Job"}, False),
    ("TrainingJobName", "Contains", "o", {"TrainingJobName": "job"}, True),
    ("TrainingJobName", "In", "a,job,b", {"TrainingJobName": "job"}, True),
    ("TrainingJobName", "In", "a,jo", {"TrainingJobName": "job"}, False),
    # The operator that is not said
    ("TrainingJobName", None, "job", {"TrainingJobName": "job"}, True),
    ("FailureReason", None, None, {"FailureReason": ""}, True),
    ("FailureReason", None, None, {}, False),
    # Absent passes negations, and nothing else
    ("FailureReason", "NotEquals", "x", {}, True),
    ("FailureReason", "NotExists", None, {}, True),
    ("FailureReason", "Equals", "x", {}, False),
    ("FailureReason", "Contains", "x", {}, False),
    ("TrainingTimeInSeconds", "LessThan", "5", {}, False),
    ("Tags.team", "NotEquals", "blue", {"Tags": []}, True),
    # Numbers
    ("TrainingTimeInSeconds", "Equals", "5", {"TrainingTimeInSeconds": 5}, True),
    ("TrainingTimeInSeconds", "Equals", "5.0", {"TrainingTimeInSeconds": 5}, True),
    ("TrainingTimeInSeconds", "GreaterThanOrEqualTo", "5", {"TrainingTimeInSeconds": 5}, True),
    ("TrainingTimeInSeconds", "GreaterThan", "5", {"TrainingTimeInSeconds": 5}, False),
    ("Metrics.auc", "GreaterThan", "0.9", {"FinalMetricDataList": [{"MetricName": "auc", "Value": 0.91}]}, True),
    ("Metrics.auc", "GreaterThan", "0", {"FinalMetricDataList": [{"MetricName": "auc", "Value": 0.91}]}, True),
    ("Metrics.auc", "Exists", None, {"FinalMetricDataList": [{"MetricName": "auc"}]}, False),
    # Hyperparameters: as numbers where both are, whole where the other side is
    ("HyperParameters.x", "Equals", "0.1", hyper("0.10"), True),
    ("HyperParameters.x", "Equals", "1", hyper("1.7"), True),
    ("HyperParameters.x", "Equals", "1.0", hyper("1.7"), False),
    ("HyperParameters.x", "Equals", "0", hyper("-0.5"), True),
    ("HyperParameters.x", "GreaterThan", "1", hyper("1.7"), False),
    ("HyperParameters.x", "GreaterThan", "1.0", hyper("1.7"), True),
    ("HyperParameters.x", "LessThan", "2", hyper("1.7"), True),
    ("HyperParameters.x", "LessThan", "1", hyper("1.7"), False),
    ("HyperParameters.x", "LessThanOrEqualTo", "1", hyper("1.7"), True),
    ("HyperParameters.x", "LessThan", "-1", hyper("-1.7"), False),
    ("HyperParameters.x", "GreaterThan", "-2", hyper("-1.7"), True),
    ("HyperParameters.x", "Equals", "-1", hyper("-1.7"), True),
    ("HyperParameters.x", "Equals", "adam", hyper("adam"), True),
    ("HyperParameters.x", "Equals", '"adam"', hyper("adam"), False),
    ("HyperParameters.x", "Equals", "1", hyper("adam"), False),
    ("HyperParameters.x", "GreaterThan", "1", hyper("adam"), False),
    ("HyperParameters.x", "In", "adam,0.1", hyper("1e-1"), True),
    ("HyperParameters.x", "Contains", "da", hyper("adam"), True),
    ("HyperParameters.x", "LessThan", "5", hyper("nan"), False),
    ("HyperParameters.x", "Equals", "nan", hyper("nan"), True),
    ("HyperParameters.x", "Equals", "1000", hyper("1_000"), False),
    # Tags: equal to the letter, and yet 9 is less than 10
    ("Tags.v", "Equals", "1.1", {"Tags": [{"Key": "v", "Value": "1.10"}]}, False),
    ("Tags.v", "LessThan", "10", {"Tags": [{"Key": "v", "Value": "9"}]}, True),
    ("Tags", "Contains", "lu", {"Tags": [{"Key": "team", "Value": "blue"}]}, True),
    ("Tags", "Contains", "ea", {"Tags": [{"Key": "team", "Value": "blue"}]}, True),
    ("Tags", "Exists", None, {"Tags": []}, False),
    # Booleans
    ("EnableNetworkIsolation", "Equals", "true", {"EnableNetworkIsolation": True}, True),
    ("EnableNetworkIsolation", "Equals", "False", {"EnableNetworkIsolation": False}, True),
    ("EnableNetworkIsolation", "NotEquals", "true", {"EnableNetworkIsolation": False}, True),
    # Times: in ISO 8601, UTC; equal to the second if no more is said
    ("CreationTime", "Equals", "2023-11-14T22:13:20", {"CreationTime": ZERO + 0.5}, True),
    ("CreationTime", "Equals", "2023-11-14T22:13:20.500", {"CreationTime": ZERO + 0.5}, True),
    ("CreationTime", "Equals", "2023-11-14T22:13:20.250", {"CreationTime": ZERO + 0.5}, False),
    ("CreationTime", "GreaterThan", "2023-11-14T22:13:20", {"CreationTime": ZERO + 0.5}, True),
    ("CreationTime", "LessThan", "2023-11-14T22:13:20Z", {"CreationTime": ZERO - 1}, True),
    ("CreationTime", "Equals", "2023-11-15T00:13:20+02:00", {"CreationTime": ZERO}, True),
    ("CreationTime", "Equals", "1700000000", {"CreationTime": ZERO}, True),
    # Several values: one is enough; a negation wants none
    ("InputDataConfig.ChannelName", "Equals", "b", {"InputDataConfig": [{"ChannelName": c} for c in "ab"]}, True),
    ("InputDataConfig.ChannelName", "NotEquals", "b", {"InputDataConfig": [{"ChannelName": c} for c in "ab"]}, False),
    ("InputDataConfig", "Contains", "s3", {"InputDataConfig": [{"ChannelName": "as3"}]}, True),
    ("InputDataConfig", "Contains", "Channel", {"InputDataConfig": [{"ChannelName": "a"}]}, False),
    ("HyperParameters", "Contains", "dep", {"HyperParameters": {"depth": "1"}}, True),
]


@pytest.mark.parametrize(("name", "operator", "value", "body", "passes"), CASES, ids=[str(c[:3])[:60] for c in CASES])
def test_what_passes(name: str, operator: str | None, value: str | None, body: dict[str, Any], passes: bool) -> None:
    assert matches(name, operator, value, body) is passes


@pytest.mark.parametrize(
    ("name", "operator", "value", "words"),
    [
        ("TrainingJobName", "GreaterThan", "a", "not supported for text"),
        ("EnableNetworkIsolation", "LessThan", "true", "not supported for text"),
        ("InputDataConfig", "LessThan", "1", "not supported for text"),
        ("TrainingTimeInSeconds", "Contains", "1", "only supported for text"),
        ("CreationTime", "In", "1,2", "only supported for text"),
        ("TrainingTimeInSeconds", "Equals", "soon", "soon is not a number"),
        ("Metrics.auc", "GreaterThan", "nan", "nan is not a number"),
        ("HyperParameters.x", "LessThan", "big", "big is not a number"),
        ("CreationTime", "LessThan", "yesterday", "yesterday is not a time"),
        ("TrainingJobName", "Equals", None, "needs a Value"),
        ("TrainingJobName", "Contains", None, "needs a Value"),
    ],
)
def test_what_an_operator_is_not_for_is_said(name: str, operator: str, value: str | None, words: str) -> None:
    with pytest.raises(Validation, match=words):
        matches(name, operator, value, {})
