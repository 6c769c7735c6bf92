"""The step of time series: where a start lies, what the calendar says of each step, which past values are near to it.

Features of the calendar are those of "How DeepAR works" in the developer guide. It leaves open which lagged values are
taken; ours are those of the authors' open implementation (GluonTS, get_lags_for_frequency).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNITS = {"M": "M", "W": "D", "D": "D", "H": "h", "min": "m"}
"""What a unit is counted in, as numpy calls it."""
MINUTES = {"min": 1, "H": 60, "D": 1440, "W": 10080}
RECENT, FURTHEST = 7, 1200
FEATURES = {
    "min": ("minute", "hour", "weekday", "day", "yearday"),
    "H": ("hour", "weekday", "day", "yearday"),
    "D": ("weekday", "day", "yearday"),
    "W": ("day", "week"),
    "M": ("month",),
}
WIDTHS = {"minute": 59, "hour": 23, "weekday": 6, "day": 30, "yearday": 365, "week": 52, "month": 11}
"""The largest value of each, from 0."""


@dataclass(frozen=True)
class Frequency:
    """`5min` is five of the unit `min`."""

    unit: str
    multiple: int = 1

    def __str__(self) -> str:
        return f"{self.multiple if self.multiple > 1 else ''}{self.unit}"

    @classmethod
    def parse(cls, text: str) -> Frequency:
        """ValueError for what is none."""
        found = re.fullmatch(r"([1-9]\d*)?(M|W|D|H|min)", text.strip())
        if not found:
            raise ValueError(f"{text!r} is no frequency")
        return cls(found.group(2), int(found.group(1) or 1))

    @property
    def stride(self) -> int:
        """The places from one step to the next."""
        return self.multiple * (7 if self.unit == "W" else 1)

    @property
    def features(self) -> int:
        """How many features the calendar has."""
        return len(FEATURES[self.unit])

    def place(self, start: str) -> int:
        """Where a start lies, in months, days, hours or minutes since 1970; ValueError when it is no time."""
        found = datetime.fromisoformat(start.strip())
        if found.tzinfo is not None:
            raise ValueError(f"start {start!r} has a time zone, which is not supported: YYYY-MM-DD HH:MM:SS is")
        return int(np.datetime64(found.replace(microsecond=0)).astype(f"M8[{UNITS[self.unit]}]").astype(np.int64))

    def calendar(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The features of steps (…, features), each from -0.5 to 0.5."""
        moments = places.astype(f"M8[{UNITS[self.unit]}]")
        names = FEATURES[self.unit]
        return np.stack([_part(name, moments) / WIDTHS[name] - 0.5 for name in names], axis=-1).astype(np.float32)

    def lags(self) -> tuple[int, ...]:
        """The last steps, and those about whole hours, days, weeks, months and years ago."""
        seasonal = {lag for lag in self._seasons() if RECENT < lag <= FURTHEST}
        return (*range(1, RECENT + 1), *sorted(seasonal))

    def _seasons(self) -> Iterator[int]:
        if self.unit == "M":
            for year in (1, 2, 3):
                yield from _around(year * 12 // self.multiple, 1)
            return
        step = MINUTES[self.unit] * self.multiple
        if self.unit == "min":
            for hour in (1, 2, 3):
                yield from _around(hour * 60 // step, 2)
        if self.unit in ("min", "H"):
            for day in range(1, 8):
                yield from _around(day * 1440 // step, 1)
        if self.unit != "W":
            for week in range(1, 5):
                yield from _around(week * 10080 // step, 1)
            yield from _around(30 * 1440 // step, 1)
        for year in (1, 2, 3):
            yield from _around(year * 52 * 10080 // step, 1)
        yield from (weeks * 10080 // step for weeks in (4, 8, 12))


def _around(middle: int, width: int) -> range:
    return range(middle - width, middle + width + 1)


def _part(name: str, moments: NDArray[Any]) -> NDArray[np.int64]:
    days = moments.astype("M8[D]")
    if name == "minute":
        return (moments.astype("M8[m]") - moments.astype("M8[h]")).astype(np.int64)
    if name == "hour":
        return (moments.astype("M8[h]") - days).astype(np.int64)
    if name == "weekday":
        return (days.astype(np.int64) + 3) % 7  # 1970 began on a Thursday.
    if name == "day":
        return (days - moments.astype("M8[M]").astype("M8[D]")).astype(np.int64)
    if name == "month":
        return moments.astype("M8[M]").astype(np.int64) % 12
    if name == "week":  # ISO: a week belongs to the year of its Thursday.
        days = days + (3 - _part("weekday", moments)).astype("m8[D]")
    yearday = (days - days.astype("M8[Y]").astype("M8[D]")).astype(np.int64)
    return yearday // 7 if name == "week" else yearday
