"""Series with seasons for the tests, whose distribution is known at every step."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

START = "2021-03-01 00:00:00"
DAY = 24


def hourly(count: int, steps: int, seed: int, noise: float = 0.15) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Series of three kinds of days, which `cat` tells, of levels from 1 to 1000, and with weeks; and their means."""
    draw, at = np.random.default_rng(seed), np.arange(steps)
    days = (np.sin(2 * np.pi * at / DAY), np.where(at % DAY < 8, 1.0, -0.5), -np.cos(4 * np.pi * at / DAY))
    week = 0.5 * np.sin(2 * np.pi * at / (7 * DAY))
    means = np.array([10 ** draw.uniform(0, 3) * (2.2 + days[n % 3] + week) for n in range(count)])
    values = means * (1 + noise * draw.standard_normal(means.shape))
    return [series(row, cat=[n % 3]) for n, row in enumerate(values)], means


def series(target: Any, **more: Any) -> dict[str, Any]:
    return {"start": START, "target": np.asarray(target).tolist(), **more}


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def before(records: list[dict[str, Any]], steps: int) -> list[dict[str, Any]]:
    """The series without their last steps."""
    return [
        one
        | {"target": one["target"][:-steps]}
        | ({"dynamic_feat": [row[:-steps] for row in one["dynamic_feat"]]} if "dynamic_feat" in one else {})
        for one in records
    ]


def ends(records: list[dict[str, Any]], steps: int) -> np.ndarray:
    return np.array([one["target"][-steps:] for one in records])
