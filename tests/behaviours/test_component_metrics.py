"""BatchPutMetrics and BatchGetMetrics: numbers of trial components, what they come to, and what is wrong with some."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from emulator.call import Call
from emulator.ports import Point
from tests.behaviours.conftest import ARN, SCOPE, Desk

COMPONENT = f"{ARN}:experiment-trial-component/c"
START = 1_700_000_040
"""The beginning of a minute."""


@pytest.fixture
def lab(desk: Desk) -> Desk:
    desk.do("CreateTrialComponent", TrialComponentName="c")
    return desk


def ask(desk: Desk, operation: str, **params: Any) -> dict[str, Any]:
    return dict(desk.house.dispatch(Call("sagemaker-metrics", operation, params, SCOPE)))


def number(value: float, seconds: float = 0, step: int | None = None, name: str = "loss") -> dict[str, Any]:
    time = datetime.fromtimestamp(START + seconds, timezone.utc)
    return {"MetricName": name, "Timestamp": time, "Value": value, **({"Step": step} if step is not None else {})}


def put(desk: Desk, *data: dict[str, Any], component: str = "c") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(desk, "BatchPutMetrics", TrialComponentName=component, MetricData=list(data))[
        "Errors"
    ]
    return found


def get(
    desk: Desk, stat: str = "Avg", period: str = "OneMinute", axis: str = "Timestamp", **more: Any
) -> dict[str, Any]:
    query = {"MetricName": "loss", "ResourceArn": COMPONENT, "MetricStat": stat, "Period": period, "XAxisType": axis}
    found: dict[str, Any] = ask(desk, "BatchGetMetrics", MetricQueries=[{**query, **more}])["MetricQueryResults"][0]
    return found


def metrics(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.do("DescribeTrialComponent", TrialComponentName="c")["Metrics"]
    return found


def test_numbers_come_to_statistics(lab: Desk) -> None:
    assert put(lab, number(3.0, 10), number(1.0, 20), number(9.0, 0, name="rate")) == []
    assert put(lab, number(2.0, 15)) == []
    loss, rate = metrics(lab)
    assert loss == {
        "MetricName": "loss",
        "SourceArn": COMPONENT,
        "TimeStamp": START + 20.0,
        "Max": 3.0,
        "Min": 1.0,
        "Last": 1.0,
        "Count": 3,
        "Avg": pytest.approx(2.0),
        "StdDev": pytest.approx(0.81649658),
    }
    assert (rate["MetricName"], rate["Count"], rate["StdDev"]) == ("rate", 1, 0.0)


def test_a_number_that_is_none_is_told_by_its_place_and_the_others_are_taken(lab: Desk) -> None:
    errors = put(lab, number(1.0), number(float("nan")), number(float("inf")), number(2.0))
    assert errors == [{"Code": "VALIDATION_ERROR", "MetricIndex": 1}, {"Code": "VALIDATION_ERROR", "MetricIndex": 2}]
    assert metrics(lab)[0]["Count"] == 2


def test_numbers_for_a_component_that_is_absent(desk: Desk) -> None:
    assert put(desk, number(1.0), component="none") == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]


def test_names_in_capitals_are_refused_by_the_model(lab: Desk) -> None:
    with pytest.raises(Exception, match="trialComponentName"):
        put(lab, number(1.0), component="C")


def test_numbers_in_steps_of_time(lab: Desk) -> None:
    put(lab, number(1.0, 0), number(3.0, 59), number(10.0, 60), number(20.0, 3600))
    second = {"Status": "Complete", "XAxisValues": [START * 1000, (START + 60) * 1000, (START + 3600) * 1000]}
    assert get(lab) == {**second, "MetricValues": [2.0, 10.0, 20.0]}
    for stat, value in (("Min", 1.0), ("Max", 3.0), ("Count", 2.0), ("Last", 3.0), ("StdDev", 1.0)):
        assert get(lab, stat)["MetricValues"][0] == value
    five = get(lab, "Count", "FiveMinute")
    assert [value % 300_000 for value in five["XAxisValues"]] == [0] * len(five["XAxisValues"])
    assert sum(five["MetricValues"]) == 4
    assert sum(get(lab, "Count", "OneHour")["MetricValues"]) == 4
    bounded = get(lab, Start=(START + 60) * 1000, End=(START + 120) * 1000)
    assert bounded["MetricValues"] == [10.0]


def test_numbers_in_steps_of_their_own(lab: Desk) -> None:
    put(lab, number(4.0, 0, 7), number(2.0, 1, 7), number(1.0, 2, 3), number(99.0, 3))
    steps = get(lab, "Avg", "IterationNumber", "IterationNumber")
    assert steps == {"Status": "Complete", "XAxisValues": [3, 7], "MetricValues": [1.0, 3.0]}
    assert get(lab, "Avg", "IterationNumber", "IterationNumber", Start=4)["XAxisValues"] == [7]


def test_what_cannot_be_asked_is_told_within_the_answer(lab: Desk) -> None:
    assert get(lab, ResourceArn=f"{ARN}:experiment-trial-component/none")["Status"] == "ValidationError"
    wrong = get(lab, "Avg", "OneMinute", "IterationNumber")
    assert (wrong["Status"], wrong["XAxisValues"], wrong["MetricValues"]) == ("ValidationError", [], [])
    assert "OneMinute" in wrong["Message"]
    assert get(lab, MetricName="unknown") == {"Status": "Complete", "XAxisValues": [], "MetricValues": []}


def test_the_metrics_of_a_training_job_are_its_own_and_its_components(desk: Desk) -> None:
    call = Call("sagemaker", "CreateTrainingJob", {"TrainingJobName": "j"}, SCOPE)
    desk.house.resources.create("TrainingJob", call, status="InProgress")
    desk.house.metrics.of(SCOPE).append([Point("j", "loss", 5.0, START)])
    put(desk, number(7.0), component="j-aws-training-job")
    assert get(desk, "Count", ResourceArn=f"{ARN}:training-job/j")["MetricValues"] == [1.0]
    assert get(desk, "Count", ResourceArn=f"{ARN}:experiment-trial-component/j-aws-training-job")["MetricValues"] == [
        2.0
    ]
    shown = desk.do("DescribeTrialComponent", TrialComponentName="j-aws-training-job")["Metrics"]
    assert [(metric["SourceArn"].rpartition(":")[2], metric["Last"]) for metric in shown] == [
        ("training-job/j", 5.0),
        ("experiment-trial-component/j-aws-training-job", 7.0),
    ]


def test_numbers_are_gone_with_their_component(lab: Desk) -> None:
    put(lab, number(1.0))
    assert COMPONENT in lab.house.metrics.of(SCOPE).sizes()
    lab.do("DeleteTrialComponent", TrialComponentName="c")
    assert COMPONENT not in lab.house.metrics.of(SCOPE).sizes()
    lab.do("CreateTrialComponent", TrialComponentName="c")
    assert metrics(lab) == []
    assert get(lab)["XAxisValues"] == []
