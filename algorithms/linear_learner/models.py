"""Many linear models trained together: one product of matrices serves them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.linear_learner.candidates import Candidate
from algorithms.linear_learner.losses import Loss
from algorithms.linear_learner.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Models:
    """Weights (d, models x classes) and bias (models x classes); one class for regression and for two classes."""

    def __init__(
        self,
        loss: Loss,
        candidates: Sequence[Candidate],
        classes: int,
        start: tuple[Any, Any],
        values: Mapping[str, Any],
    ) -> None:
        self._loss, self._classes, self._values = loss, classes, values
        self.count = len(candidates)
        self.weights, self.bias = start
        make = OPTIMIZERS[values["optimizer"]]
        self._optimizers = make(self.weights.shape, values), make(self.bias.shape, values)
        column = {
            name: np.repeat(np.array([getattr(one, name) for one in candidates], np.float64), classes)
            for name in Candidate.__dataclass_fields__
        }
        self._column = column
        self._l1, self._wd = column["l1"].astype(np.float32), column["wd"].astype(np.float32)
        self._bias_wd = (column["wd"] * column["bias_wd_mult"]).astype(np.float32)
        self._steps = 0

    def shaped(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, models), or (n, models, classes) of several."""
        return scores if self._classes == 1 else scores.reshape(len(scores), self.count, self._classes)

    def scores(self, rows: Any) -> NDArray[np.float32]:
        """Of scaled rows: (n, models), or (n, models, classes)."""
        return self.shaped(rows.scores(self.weights) + self.bias)

    def losses(self, rows: Any, labels: Any, weights: Any) -> NDArray[np.float32]:
        """Sums over the rows, of each model; `weights` (n, models) or (n, 1) are those of the records, None for 1."""
        value = self._loss.value(self.scores(rows), labels)
        return _weighted(value, weights).sum(axis=0, dtype=np.float64)

    def update(self, rows: Any, labels: Any, weights: Any) -> NDArray[np.float64]:
        """One step of all models on a batch; the sums of their losses before it."""
        scores = self.scores(rows)
        total = _weighted(self._loss.value(scores, labels), weights).sum(axis=0, dtype=np.float64)
        errors = self._loss.slope(scores, labels)
        if weights is not None:
            errors = errors * (weights if self._classes == 1 else weights[:, :, None])
        errors = (errors.reshape(len(labels), -1) / np.float32(len(labels))).astype(np.float32)
        rate = self._rate()
        slope = rows.slopes(errors)
        slope += self._wd * self.weights
        self._optimizers[0].step(self.weights, slope, rate.astype(np.float32), self._l1)
        if self._values["use_bias"]:
            slope = errors.sum(axis=0) + self._bias_wd * self.bias
            rate = (rate * self._column["bias_lr_mult"]).astype(np.float32)
            self._optimizers[1].step(self.bias, slope, rate, np.zeros_like(rate))
        self._steps += 1
        return total

    def _rate(self) -> NDArray[np.float64]:
        column = self._column
        rate: NDArray[np.float64] = column["learning_rate"]
        if not self._values["use_lr_scheduler"]:
            return rate
        decayed = rate * column["lr_scheduler_factor"] ** (self._steps // column["lr_scheduler_step"])
        return np.maximum(decayed, np.minimum(rate, column["lr_scheduler_minimum_lr"]))


def _weighted(value: Any, weights: Any) -> Any:
    return value if weights is None else value * weights
