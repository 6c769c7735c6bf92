"""How good forecasts are: "DeepAR: Metrics computed" and "Tune a DeepAR model" of the developer guide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def quantile(paths: NDArray[Any], level: float) -> NDArray[Any]:
    """Of paths (…, samples, steps): the sample (…, steps) that so large a part of them does not exceed."""
    found: NDArray[Any] = np.quantile(paths, level, axis=-2, method="nearest")
    return found


def quantile_loss(actual: NDArray[Any], forecast: NDArray[Any], level: float) -> float:
    """Twice the pinball loss, summed over what is known."""
    over = actual - forecast
    return float(2 * np.nansum(np.maximum(level * over, (level - 1) * over)))


def scores(actual: NDArray[Any], paths: NDArray[Any], levels: Sequence[float]) -> dict[str, float]:
    """By name, of actual values (n, steps), NaN where unknown, and paths (n, samples, steps)."""
    losses = {level: quantile_loss(actual, quantile(paths, level), level) for level in levels}
    whole = max(float(np.nansum(np.abs(actual))), 1e-30)
    found = {
        "RMSE": float(np.sqrt(np.nanmean((actual - paths.mean(axis=1, dtype=np.float64)) ** 2))),
        "mean_absolute_QuantileLoss": float(np.mean(list(losses.values()))),
        "mean_wQuantileLoss": float(np.mean(list(losses.values()))) / whole,
    }
    return found | {f"wQuantileLoss[{level}]": loss / whole for level, loss in losses.items()}
