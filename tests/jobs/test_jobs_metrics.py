"""Expressions over log lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from emulator.jobs.metrics import Collector, LogStream, definitions, literal, points
from emulator.ports import LogLine, Point


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r".*\[[0-9]+\].*#011validation-auc:(\S+)", "#011validation-auc:"),
        (r"#quality_metric: host=\S+, test msd <loss>=(\S+)", "#quality_metric: host="),
        (r"loss=(\d+\.?\d*)", "loss="),
        (r"Train_accuracy:\s+([0-9\\.]+)", "Train_accuracy:"),
        (r"ab?c", "a"),
        (r"abx{0,3}cd", "ab"),
        (r"a|b", ""),
        (r"(?i)loss", ""),
        (r"\x41bc", ""),
        (r"[]a]b", "b"),
        (r"((a)b)c", "c"),
        (r"a\.b=(.*)", "a.b="),
    ],
)
def test_the_text_that_a_match_must_contain(expression: str, text: str) -> None:
    assert literal(expression) == text


def test_numbers_are_found_with_and_without_a_group() -> None:
    wanted = definitions([{"Name": "a", "Regex": "a=([0-9.]+)"}, {"Name": "b", "Regex": "[0-9]+$"}])
    found = points(LogLine(1500, "a=0.5 a=0.25 7"), wanted, "job")
    assert [(p.name, p.value, p.timestamp) for p in found] == [("a", 0.5, 1.5), ("a", 0.25, 1.5), ("b", 7.0, 1.5)]


def test_a_group_that_catches_too_much_ends_at_the_tab() -> None:
    wanted = definitions([{"Name": "train:auc", "Regex": r".*\[[0-9]+\].*#011train-auc:(\S+)"}])
    found = points(LogLine(0, "[3]#011train-auc:0.9#011validation-auc:0.8"), wanted, "job")
    assert [point.value for point in found] == [0.9]


class OneStream:
    """Logs with one stream, and metrics."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.points: list[Point] = []

    def read(self, group: str, stream: Any = None, start: int = 0) -> Any:
        return iter(self.lines[start:])

    def append(self, points: Iterable[Point]) -> None:
        self.points += points


def test_a_line_that_is_still_being_written_waits() -> None:
    stream = OneStream()
    collector = Collector(stream, stream, LogStream("g", "s"), "job")  # type: ignore[arg-type]
    wanted = definitions([{"Name": "a", "Regex": "a=([0-9.]+)"}])
    stream.lines = [LogLine(0, "a=1"), LogLine(1, "a=2")]
    collector.collect(wanted)
    assert [p.value for p in stream.points] == [1.0]
    stream.lines[1] = LogLine(1, "a=2.5")
    collector.collect(wanted, final=True)
    assert [p.value for p in stream.points] == [1.0, 2.5]
    assert [p["Value"] for p in collector.final()] == [2.5]


def test_a_long_log_is_not_held_as_a_whole() -> None:
    """What the metrics had got when line n was read."""
    stream, told = OneStream(), []

    def read(group: str, name: str, start: int = 0) -> Any:
        for number in range(start, 5000):
            told.append(len(stream.points))
            yield LogLine(number, f"a={number}")

    stream.read = read  # type: ignore[method-assign]
    collector = Collector(stream, stream, LogStream("g", "s"), "job")  # type: ignore[arg-type]
    collector.collect(definitions([{"Name": "a", "Regex": "a=([0-9.]+)"}]), final=True)
    assert [point.value for point in stream.points] == list(range(5000))
    assert told[4000] >= 3000


def test_an_evil_expression_is_given_up() -> None:
    wanted = definitions([{"Name": "evil", "Regex": r"(\d+)+\d*x$"}])
    assert points(LogLine(0, "1" * 60), wanted, "job") == []


def test_a_broken_expression_is_named() -> None:
    with pytest.raises(ValueError, match="metric m"):
        definitions([{"Name": "m", "Regex": "(("}])
