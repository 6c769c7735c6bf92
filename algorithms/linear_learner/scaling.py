"""Features and labels shifted and scaled as training wants them, and coefficients brought back to what users have.

Sparse rows are never filled: their shift is done on the scores and the slopes instead, with the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Dense:
    """Scaled rows (n, d)."""

    rows: NDArray[np.float32]

    def scores(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, k) of weights (d, k)."""
        return self.rows @ weights

    def slopes(self, errors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The derivative by the weights, (d, k), of errors (n, k)."""
        return self.rows.T @ errors


@dataclass(frozen=True)
class Sparse:
    """Rows (n, d) as they are, in CSR, and the scaling that they are to be seen through."""

    rows: Any
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    def scores(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled = weights / self.spread[:, None]
        found: NDArray[np.float32] = self.rows @ scaled - self.mean @ scaled
        return found

    def slopes(self, errors: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self.rows.T @ errors - np.outer(self.mean, errors.sum(axis=0))
        return found / self.spread[:, None]


@dataclass(frozen=True)
class Scaling:
    """What features (d,) and the label are less by and divided by; 0 and 1 where they stay as they are."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    label_mean: float = 0.0
    label_spread: float = 1.0

    @classmethod
    def of(cls, features: Any, labels: NDArray[np.float32], values: Mapping[str, Any]) -> Scaling:
        """From the first records; `values` are the hyperparameters, no switch of which is `auto` any more."""
        count = values["num_point_for_scaler"]
        mean, spread = _moments(features[:count])
        own = labels[:count].astype(np.float64)
        regression = values["predictor_type"] == "regressor"
        width = len(mean)
        return cls(
            (mean if values["unbias_data"] else np.zeros(width)).astype(np.float32),
            (spread if values["normalize_data"] else np.ones(width)).astype(np.float32),
            float(own.mean()) if regression and values["unbias_label"] else 0.0,
            float(own.std()) or 1.0 if regression and values["normalize_label"] else 1.0,
        )

    def view(self, rows: Any) -> Dense | Sparse:
        """Rows as training sees them. Dense ones are a copy."""
        if hasattr(rows, "tocsr"):
            return Sparse(rows, self.mean, self.spread)
        return Dense((rows - self.mean) / self.spread)

    def label(self, labels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Labels as training sees them."""
        if (self.label_mean, self.label_spread) == (0.0, 1.0):
            return labels
        return ((labels - self.label_mean) / self.label_spread).astype(np.float32)

    def fold(self, weights: Any, bias: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Trained weights (d, k) and bias (k,) as weights (k, d) and bias (k,) of rows as they came."""
        own = weights.astype(np.float64) * self.label_spread / self.spread[:, None].astype(np.float64)
        shift = bias.astype(np.float64) * self.label_spread + self.label_mean - self.mean.astype(np.float64) @ own
        return np.ascontiguousarray(own.T, dtype=np.float32), shift.astype(np.float32)


def _moments(rows: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each column, 1 for the deviation of a constant one."""
    if hasattr(rows, "tocsr"):
        wide = rows.astype(np.float64)
        mean = np.asarray(wide.mean(axis=0)).ravel()
        square = np.asarray(wide.multiply(wide).mean(axis=0)).ravel()
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        spread[spread <= 1e-7 * np.sqrt(square)] = 0
    else:
        mean, spread = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
        spread[rows.min(axis=0) == rows.max(axis=0)] = 0
    return mean, np.where(spread > 0, spread, 1.0)
