"""Activations with their slopes, and batch normalization (Ioffe, Szegedy, ICML 2015) with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[Any]

EPS, MOMENTUM = 1e-3, 0.9
"""Those of MXNet's BatchNorm."""


def _positive(scores: Matrix) -> Matrix:
    found: Matrix = np.maximum(scores, 0)
    return found


ACTIVATIONS: Mapping[str, tuple[Callable[[Matrix], Matrix], Callable[[Matrix], Matrix]]] = {
    "sigmoid": (expit, lambda out: out * (1 - out)),
    "tanh": (np.tanh, lambda out: 1 - out * out),
    "relu": (_positive, lambda out: (out > 0).astype(out.dtype)),
}
"""By name: the function, and its slope as a function of what it gave."""


class BatchNorm:
    """Of one layer, by the names of MXNet's parameters: `gamma`, `beta`, and the moving mean and variance."""

    def __init__(self, name: str) -> None:
        self._name = name

    def forward(
        self, rows: Matrix, parameters: Mapping[str, Matrix], moving: dict[str, Matrix], training: bool
    ) -> tuple[Matrix, Any]:
        """The normalized rows, and what the way back needs. Training goes by the batch, and moves the moving values."""
        mean, variance = moving[f"{self._name}_moving_mean"], moving[f"{self._name}_moving_var"]
        if training:
            mean, variance = rows.mean(axis=0), rows.var(axis=0)
            for name, now in (("mean", mean), ("var", variance)):
                before = moving[f"{self._name}_moving_{name}"]
                moving[f"{self._name}_moving_{name}"] = MOMENTUM * before + (1 - MOMENTUM) * now
        scale = 1 / np.sqrt(variance + EPS)
        normal = (rows - mean) * scale
        return normal * parameters[f"{self._name}_gamma"] + parameters[f"{self._name}_beta"], (normal, scale)

    def backward(
        self, back: Matrix, parameters: Mapping[str, Matrix], kept: Any, gradients: dict[str, Matrix]
    ) -> Matrix:
        """Through the batch's own mean and variance."""
        normal, scale = kept
        gradients[f"{self._name}_gamma"] = (back * normal).sum(axis=0)
        gradients[f"{self._name}_beta"] = back.sum(axis=0)
        inner = back * parameters[f"{self._name}_gamma"]
        found: Matrix = scale * (inner - inner.mean(axis=0) - normal * (inner * normal).mean(axis=0))
        return found
