"""Optimizers of many models at once: weights (d, k), with a learning rate and an L1 penalty for each column.

The penalty is applied as a proximal step in the optimizer's own metric: weights that it wins over become zero, and the
solution is the penalised one whatever the optimizer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPSILON = np.float32(1e-8)
GAMMA = np.float32(0.9)
"""How much of its past RMSProp keeps: MXNet's default."""
AUTO_MOMENTUM, AUTO_BETA_1, AUTO_BETA_2 = 0.0, 0.9, 0.999
"""What `auto` meant in jobs of 2018, which printed it."""


class Optimizer(Protocol):
    """One for each array of parameters."""

    def step(self, weights: Any, slope: Any, rate: Any, l1: Any) -> None:
        """Change the weights in place."""
        ...


class SGD:
    """Steps against the slope, with momentum."""

    def __init__(self, shape: tuple[int, ...], values: Mapping[str, Any]) -> None:
        self._momentum = np.float32(_auto(values["momentum"], AUTO_MOMENTUM))
        self._velocity = np.zeros(shape, np.float32)

    def step(self, weights: Any, slope: Any, rate: Any, l1: Any) -> None:
        self._velocity *= self._momentum
        self._velocity -= rate * slope
        weights += self._velocity
        shrink(weights, rate / (1 - self._momentum), l1)


class Adam:
    """Kingma and Ba, "Adam: a method for stochastic optimization", 2015."""

    def __init__(self, shape: tuple[int, ...], values: Mapping[str, Any]) -> None:
        self._beta_1 = _auto(values["beta_1"], AUTO_BETA_1)
        self._beta_2 = _auto(values["beta_2"], AUTO_BETA_2)
        self._mean, self._square = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._steps = 0

    def step(self, weights: Any, slope: Any, rate: Any, l1: Any) -> None:
        self._steps += 1
        self._mean += np.float32(1 - self._beta_1) * (slope - self._mean)
        self._square += np.float32(1 - self._beta_2) * (slope * slope - self._square)
        unbiased = math.sqrt(1 - self._beta_2**self._steps) / (1 - self._beta_1**self._steps)
        size = np.sqrt(self._square)
        size += EPSILON
        np.divide(rate * np.float32(unbiased), size, out=size)
        weights -= size * self._mean
        shrink(weights, size, l1)


class RMSProp:
    """Steps divided by the root of a running mean of squared slopes."""

    def __init__(self, shape: tuple[int, ...], values: Mapping[str, Any]) -> None:
        self._square = np.zeros(shape, np.float32)

    def step(self, weights: Any, slope: Any, rate: Any, l1: Any) -> None:
        self._square += (1 - GAMMA) * (slope * slope - self._square)
        size = rate / np.sqrt(self._square + EPSILON)
        weights -= size * slope
        shrink(weights, size, l1)


def shrink(weights: NDArray[np.float32], size: Any, l1: NDArray[np.float32]) -> None:
    """The proximal step of the L1 penalty, in place."""
    if l1.any():
        weights[:] = np.sign(weights) * np.maximum(np.abs(weights) - size * l1, 0)


def _auto(value: Any, meant: float) -> float:
    return meant if value == "auto" else float(value)


OPTIMIZERS: dict[str, Callable[[tuple[int, ...], Mapping[str, Any]], Optimizer]] = {
    "auto": Adam,
    "adam": Adam,
    "sgd": SGD,
    "rmsprop": RMSProp,
}
