"""Windows of many series at once: what the network sees of them, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.deepar.frequency import Frequency
from algorithms.deepar.series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

UNSCALED = "beta"
"""The likelihood whose targets lie between 0 and 1 as they are."""


@dataclass(frozen=True)
class Shape:
    """What a model is made for: the job's hyperparameters, and what was found in its data.

    `level` is the mean of |target|; `centre` and `spread` are of each dynamic feature.
    """

    frequency: Frequency
    context: int
    prediction: int
    likelihood: str
    lags: tuple[int, ...]
    cells: int
    layers: int
    embedding: int
    dropout: float = 0.0
    cardinality: tuple[int, ...] = ()
    level: float = 1.0
    centre: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()

    @property
    def dynamic(self) -> int:
        """How many dynamic features a series has."""
        return len(self.centre)

    @property
    def past(self) -> int:
        """How many steps before a forecast have a say in it."""
        return self.context + max(self.lags)

    @property
    def inputs(self) -> int:
        """The width of what the network is given in a step: also the age of the series, and its scale."""
        return len(self.lags) + self.frequency.features + self.dynamic + self.embedding * len(self.cardinality) + 2


@dataclass(frozen=True)
class Batch:
    """Windows (B): context and prediction side by side, L steps.

    `lagged` (B, L, lags) and `past` (B, past) are divided by the scale (B,); `target` (B, L) is not; `observed` (B, L)
    is 1 where it is known.
    """

    lagged: Floats
    features: Floats
    target: Floats
    observed: Floats
    past: Floats
    cat: NDArray[np.int64]
    scale: Floats

    def __len__(self) -> int:
        return len(self.scale)


class Panel:
    """Series behind each other, with room before each for lagged values and after each for a forecast."""

    def __init__(self, series: Sequence[Series], shape: Shape) -> None:
        self.shape = shape
        self.lengths = np.array([len(one) for one in series])
        self._starts = np.array([one.start for one in series], dtype=np.int64)
        self._cat = np.array([one.cat for one in series], dtype=np.int64).reshape(len(series), -1)
        rooms = self.lengths + shape.past + shape.prediction
        self._first = np.concatenate([[0], np.cumsum(rooms)[:-1]]) + shape.past
        size = int(rooms.sum())
        self._values, self._observed = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self._dynamic = np.zeros((size, shape.dynamic), np.float32)
        for one, first in zip(series, self._first.tolist(), strict=True):
            known = ~np.isnan(one.target)
            self._values[first : first + len(one)] = _filled(one.target, known)
            self._observed[first : first + len(one)] = known
            if one.dynamic is not None and shape.dynamic:
                told = (one.dynamic.T - shape.centre) / shape.spread
                self._dynamic[first : first + len(told)] = told[: len(one) + shape.prediction]

    def __len__(self) -> int:
        return len(self.lengths)

    def draw(self, chosen: NDArray[np.int64], draw: np.random.Generator) -> Batch:
        """A window of each of the chosen series, its forecast beginning anywhere after their first step."""
        lengths = self.lengths[chosen]
        low = np.minimum(lengths, 1)
        return self.windows(chosen, draw.integers(low, np.maximum(lengths - self.shape.prediction, low) + 1))

    def windows(self, chosen: NDArray[np.int64], ends: NDArray[np.int64]) -> Batch:
        """Of the chosen series, the windows whose forecasts begin at the given steps."""
        shape = self.shape
        steps = ends[:, None] + np.arange(-shape.context, shape.prediction)
        first = self._first[chosen][:, None]
        at = first + steps
        past = self._values[first + ends[:, None] + np.arange(-shape.past, 0)]
        scale = self._scale(chosen, ends, past)
        places = self._starts[chosen][:, None] + steps * shape.frequency.stride
        age = np.log10(2.0 + np.maximum(steps, 0))[..., None]
        return Batch(
            lagged=self._values[at[..., None] - np.array(shape.lags)] / scale[:, None, None],
            features=np.concatenate([shape.frequency.calendar(places), age, self._dynamic[at]], -1, dtype=np.float32),
            target=self._values[at],
            observed=self._observed[at],
            past=past / scale[:, None],
            cat=self._cat[chosen],
            scale=scale,
        )

    def _scale(self, chosen: NDArray[np.int64], ends: NDArray[np.int64], past: Floats) -> Floats:
        """The mean of |target| in the context; where that has nothing, of all the past; else that of all series."""
        shape = self.shape
        if shape.likelihood == UNSCALED:
            return np.ones(len(chosen), np.float32)
        known = self._observed[(self._first[chosen] + ends)[:, None] + np.arange(-shape.past, 0)]
        found = np.full(len(chosen), shape.level)
        for width in (shape.past, shape.context):
            sums = (np.abs(past[:, -width:]) * known[:, -width:]).sum(1, dtype=np.float64)
            means = sums / np.maximum(known[:, -width:].sum(1), 1)
            found = np.where(means > 0, means, found)
        return found.astype(np.float32)


def _filled(target: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The target with the last known value where it is missing, zero before the first."""
    if known.all():
        return target
    last = np.maximum.accumulate(np.where(known, np.arange(len(target)), -1))
    found: NDArray[Any] = np.where(last >= 0, target[last], 0.0)
    return found
