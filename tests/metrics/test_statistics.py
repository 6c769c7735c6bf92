"""What a stream of numbers comes to."""

from __future__ import annotations

import random
import statistics

import pytest

from emulator.metrics.statistics import Statistics, by_name, in_steps
from emulator.ports import Point


def test_statistics_are_those_of_the_library() -> None:
    chance = random.Random(3)
    values = [1e6 + chance.gauss(0, 1) for _ in range(1000)]
    found = Statistics()
    for number, value in enumerate(values):
        found = Statistics.read(found.plain()).add(value, float(number))
    assert found.value("Count") == 1000
    assert (found.value("Min"), found.value("Max"), found.value("Last")) == (min(values), max(values), values[-1])
    assert found.value("Avg") == pytest.approx(statistics.fmean(values))
    assert found.value("StdDev") == pytest.approx(statistics.pstdev(values))


def test_the_last_number_is_the_one_of_the_latest_time() -> None:
    found = Statistics().add(1.0, 20.0).add(2.0, 10.0)
    assert (found.last, found.time) == (1.0, 20.0)
    assert found.add(3.0, 20.0).last == 3.0, "of two at once the one that came later"


def test_points_are_told_apart_by_name_and_step() -> None:
    points = [Point("r", name, value, time, step) for name, value, time, step in (
        ("a", 1.0, 0.0, 5), ("b", 2.0, 59.9, None), ("a", 3.0, 60.0, 1), ("a", 5.0, -0.5, 5),
    )]  # fmt: skip
    assert {name: found.count for name, found in by_name(points).items()} == {"a": 3, "b": 1}
    assert [(step, found.count) for step, found in in_steps(points, 60)] == [(-60, 1), (0, 2), (60, 1)]
    assert [(step, found.mean) for step, found in in_steps(points, 0)] == [(1, 3.0), (5, 3.0)]
