"""The optimizers, as MXNet has them: the gradient is rescaled and cut; the weight decay comes before the cut or after.

https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/optimizer/ with its defaults. Adadelta takes no rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[Any]


@dataclass
class Optimizer:
    """Moves parameters in place; `decay` is of weights alone, not of biases."""

    method: str
    rate: float
    rescale: float = 1.0
    clip: float = np.inf
    decay: float = 0.0
    _count: int = 0
    _kept: dict[str, tuple[Matrix, Matrix]] = field(default_factory=dict)

    def step(self, parameters: Mapping[str, Matrix], gradients: Mapping[str, Matrix]) -> None:
        self._count += 1
        for name, parameter in parameters.items():
            decay = (self.decay if name.endswith(("_weight", "_gamma")) else 0.0) * parameter
            gradient = gradients[name] * parameter.dtype.type(self.rescale)
            if self.method in DECAYED_FIRST:
                gradient += decay
            if np.isfinite(self.clip):
                np.clip(gradient, -self.clip, self.clip, out=gradient)
            kept = self._kept.setdefault(name, (np.zeros_like(parameter), np.zeros_like(parameter)))
            parameter -= METHODS[self.method](self, gradient, decay, kept)


def _sgd(one: Optimizer, gradient: Matrix, decay: Matrix, kept: tuple[Matrix, Matrix]) -> Matrix:
    return one.rate * (gradient + decay)


def _adam(one: Optimizer, gradient: Matrix, decay: Matrix, kept: tuple[Matrix, Matrix]) -> Matrix:
    first, second = kept
    first += 0.1 * (gradient - first)
    second += 0.001 * (gradient * gradient - second)
    rate = one.rate * math.sqrt(1 - 0.999**one._count) / (1 - 0.9**one._count)
    found: Matrix = rate * first / (np.sqrt(second) + 1e-8)
    return found


def _adagrad(one: Optimizer, gradient: Matrix, decay: Matrix, kept: tuple[Matrix, Matrix]) -> Matrix:
    history = kept[0]
    history += gradient * gradient
    found: Matrix = one.rate * (gradient / np.sqrt(history + 1e-7) + decay)
    return found


def _adadelta(one: Optimizer, gradient: Matrix, decay: Matrix, kept: tuple[Matrix, Matrix]) -> Matrix:
    squares, moves = kept
    squares += 0.1 * (gradient * gradient - squares)
    move = np.sqrt(moves + 1e-5) / np.sqrt(squares + 1e-5) * gradient
    moves += 0.1 * (move * move - moves)
    found: Matrix = move + decay
    return found


def _rmsprop(one: Optimizer, gradient: Matrix, decay: Matrix, kept: tuple[Matrix, Matrix]) -> Matrix:
    squares = kept[0]
    squares += 0.1 * (gradient * gradient - squares)
    found: Matrix = one.rate * gradient / np.sqrt(squares + 1e-8)
    return found


DECAYED_FIRST = ("adam", "rmsprop")
METHODS: Mapping[str, Callable[[Optimizer, Matrix, Matrix, tuple[Matrix, Matrix]], Matrix]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "rmsprop": _rmsprop,
}
