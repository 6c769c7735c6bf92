"""A trained linear model, in the units that users have: what is saved, served and measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.linear_learner.losses import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16384
"""Rows that are looked at together."""


@dataclass(frozen=True)
class Linear:
    """Weights (c, d) and bias (c,): one row for regression and for two classes, else one for each class.

    `threshold` is the raw score above which a record is a positive one.
    """

    predictor_type: str
    loss: str
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    threshold: float = 0.0

    @property
    def features(self) -> int:
        """How many columns the rows have."""
        return int(self.weights.shape[1])

    @cached_property
    def _columns(self) -> NDArray[np.float64]:
        return self.weights.T.astype(np.float64)

    def raw(self, rows: Any) -> NDArray[np.float64]:
        """(n, c) of rows (n, d), dense or CSR: what the loss takes."""
        blocks = [rows[at : at + BLOCK] @ self._columns for at in range(0, rows.shape[0], BLOCK)]
        return (np.concatenate(blocks) if len(blocks) != 1 else blocks[0]) + self.bias

    def predict(self, rows: Any) -> dict[str, NDArray[Any]]:
        """`score`, and of classifiers `predicted_label`."""
        raw = self.raw(rows)
        if self.predictor_type == "regressor":
            return {"score": raw[:, 0].astype(np.float32)}
        if self.predictor_type == "multiclass_classifier":
            return {"score": softmax(raw).astype(np.float32), "predicted_label": raw.argmax(axis=1)}
        label = (raw[:, 0] > self.threshold).astype(np.int64)
        return {"score": self.shown(raw[:, 0]).astype(np.float32), "predicted_label": label}

    def shown(self, raw: Any) -> NDArray[np.float64]:
        """The score of a binary classifier as users see it: a probability, of hinge loss the raw one."""
        if self.loss != "logistic":
            return np.asarray(raw, np.float64)
        with np.errstate(over="ignore"):
            found: NDArray[np.float64] = 1 / (1 + np.exp(-np.asarray(raw, np.float64)))
        return found
