"""Adam (Kingma and Ba, 2015), as MXNet's optimizer of that name has it, which the first-party images train with.

The decay is a part of the gradient and is clipped with it; rows that a batch does not have stay as they are, their
moments too (`lazy_update`): https://github.com/apache/mxnet/blob/v1.9.x/src/operator/optimizer_op-inl.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BETA_1, BETA_2 = 0.9, 0.999


@dataclass(frozen=True)
class Move:
    """What one array, which is changed in place, is to be moved by.

    `rows` are the rows that `gradient` is of, each once; None for all of them.
    """

    parameter: NDArray[Any]
    gradient: NDArray[Any]
    rate: float
    decay: float = 0.0
    rows: NDArray[Any] | None = None


@dataclass
class Adam:
    """The moments of arrays by name. A gradient is cut to ±`clip`; a negative one means that it is not, as in MXNet."""

    eps: float = 1e-8
    clip: float = -1.0
    count: int = 0
    _moments: dict[str, tuple[NDArray[Any], NDArray[Any]]] = field(default_factory=dict)

    def step(self, moves: Mapping[str, Move]) -> None:
        """One update of each."""
        self.count += 1
        for name, move in moves.items():
            if name not in self._moments:
                self._moments[name] = np.zeros_like(move.parameter), np.zeros_like(move.parameter)
            self._update(move, *self._moments[name])

    def _update(self, move: Move, mean: NDArray[Any], spread: NDArray[Any]) -> None:
        rows: Any = slice(None) if move.rows is None else move.rows
        gradient = move.gradient + move.decay * move.parameter[rows]
        if self.clip >= 0:
            gradient = np.clip(gradient, -self.clip, self.clip)
        first = BETA_1 * mean[rows] + (1 - BETA_1) * gradient
        second = BETA_2 * spread[rows] + (1 - BETA_2) * gradient * gradient
        mean[rows], spread[rows] = first, second
        rate = move.rate * (1 - BETA_2**self.count) ** 0.5 / (1 - BETA_1**self.count)
        move.parameter[rows] -= rate * first / (np.sqrt(second) + self.eps)
