"""What a stream of numbers comes to: its smallest, largest, last, how many, mean and spread; as a whole or in steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from emulator.ports import Point

STATISTICS = ("Min", "Max", "Avg", "Count", "StdDev", "Last")


@dataclass(frozen=True)
class Statistics:
    """Of the numbers seen so far. `spread` is the sum of the squares of their distances from the mean."""

    count: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    mean: float = 0.0
    spread: float = 0.0
    last: float = 0.0
    time: float = -math.inf
    """Of the last number, seconds since the epoch."""

    def add(self, value: float, time: float) -> Statistics:
        """With one more number. The last one is the one of the latest time, not of the latest arrival."""
        count = self.count + 1
        distance = value - self.mean
        mean = self.mean + distance / count
        grown = replace(
            self,
            count=count,
            minimum=min(self.minimum, value),
            maximum=max(self.maximum, value),
            mean=mean,
            spread=self.spread + distance * (value - mean),
        )
        return replace(grown, last=value, time=time) if time >= self.time else grown

    @property
    def deviation(self) -> float:
        """The standard deviation of the numbers seen, as of all there are."""
        return math.sqrt(self.spread / self.count) if self.count else 0.0

    def value(self, statistic: str) -> float:
        """One of STATISTICS."""
        return {
            "Min": self.minimum,
            "Max": self.maximum,
            "Avg": self.mean,
            "Count": float(self.count),
            "StdDev": self.deviation,
            "Last": self.last,
        }[statistic]

    def plain(self) -> dict[str, Any]:
        """As JSON, to go on from."""
        return asdict(self)

    @classmethod
    def read(cls, plain: Mapping[str, Any] | None) -> Statistics:
        """What `plain` made."""
        return cls(**plain) if plain else cls()


def by_name(points: Iterable[Point]) -> dict[str, Statistics]:
    """The statistics of each metric, in the order in which they first came."""
    found: dict[str, Statistics] = {}
    for point in points:
        found[point.name] = found.get(point.name, Statistics()).add(point.value, point.timestamp)
    return found


def in_steps(points: Iterable[Point], seconds: int) -> Iterator[tuple[int, Statistics]]:
    """Statistics of each span of `seconds`, with the second in which it begins; with 0, of each step (Point.step)."""
    found: dict[int, Statistics] = {}
    for point in points:
        step = math.floor(point.timestamp / seconds) * seconds if seconds else point.step
        if step is not None:
            found[step] = found.get(step, Statistics()).add(point.value, point.timestamp)
    yield from sorted(found.items())
