"""Losses of linear models: of each record, and their slopes, for many models at once.

Scores are (records, models), those of softmax (records, models, classes); labels (records,), 0 and 1 of binary ones.
A regression's scores and labels are in units of the label as it is trained on: standard deviations when normalised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BY_PREDICTOR = {
    "regressor": (
        "squared_loss", "absolute_loss", "eps_insensitive_squared_loss", "eps_insensitive_absolute_loss",
        "quantile_loss", "huber_loss",
    ),
    "binary_classifier": ("logistic", "hinge_loss"),
    "multiclass_classifier": ("softmax_loss",),
}  # fmt: skip
"""By predictor_type; the first is what `auto` means."""

Function = Callable[[Any, Any], "NDArray[np.float32]"]


@dataclass(frozen=True)
class Loss:
    """`objective` is its name among the metrics.

    `value` gives (records, models); `slope` the derivative by the scores, of their shape. `degree` is how the value
    grows with the unit of the label: by its square (2) or as it does (1); 0 for classes.
    """

    name: str
    objective: str
    value: Function
    slope: Function
    degree: int = 0


def of(values: Mapping[str, Any]) -> Loss:
    """The loss that validated hyperparameters ask for."""
    name = values["loss"]
    return LOSSES[BY_PREDICTOR[values["predictor_type"]][0] if name == "auto" else name](values)


def _squared(values: Mapping[str, Any]) -> Loss:
    # The slope is that of half the square, as with all regression outputs of MXNet: wd weighs against it so.
    return Loss("squared_loss", "mse_objective", lambda z, y: (z - y[:, None]) ** 2, lambda z, y: z - y[:, None], 2)


def _absolute(values: Mapping[str, Any]) -> Loss:
    return Loss(
        "absolute_loss", "absolute_loss_objective",
        lambda z, y: np.abs(z - y[:, None]), lambda z, y: np.sign(z - y[:, None]), 1,
    )  # fmt: skip


def _insensitive(name: str, degree: int) -> Callable[[Mapping[str, Any]], Loss]:
    def make(values: Mapping[str, Any]) -> Loss:
        epsilon = np.float32(values["loss_insensitivity"])

        def value(z: Any, y: Any) -> Any:
            return np.maximum(np.abs(z - y[:, None]) - epsilon, 0) ** degree

        def slope(z: Any, y: Any) -> Any:
            error = z - y[:, None]
            beyond = np.abs(error) - epsilon
            size = np.maximum(beyond, 0) if degree == 2 else (beyond > 0)
            return np.sign(error) * size

        return Loss(name, f"{name}_objective", value, slope, degree)

    return make


def _quantile(values: Mapping[str, Any]) -> Loss:
    """Labels lie below the prediction with probability `quantile`."""
    q = np.float32(values["quantile"])

    def value(z: Any, y: Any) -> Any:
        error = y[:, None] - z
        return np.maximum(q * error, (q - 1) * error)

    def slope(z: Any, y: Any) -> Any:
        return np.where(z < y[:, None], -q, 1 - q)

    return Loss("quantile_loss", "quantile_loss_objective", value, slope, 1)


def _huber(values: Mapping[str, Any]) -> Loss:
    delta = np.float32(values["huber_delta"])

    def value(z: Any, y: Any) -> Any:
        size = np.abs(z - y[:, None])
        inner = np.minimum(size, delta)
        return inner * (size - inner / 2)

    return Loss("huber_loss", "huber_loss_objective", value, lambda z, y: np.clip(z - y[:, None], -delta, delta), 2)


def _logistic(values: Mapping[str, Any]) -> Loss:
    def value(z: Any, y: Any) -> Any:
        return np.maximum(z, 0) - z * y[:, None] + np.log1p(np.exp(-np.abs(z)))

    def slope(z: Any, y: Any) -> Any:
        return np.float32(0.5) * (1 + np.tanh(z / 2)) - y[:, None]

    return Loss("logistic", "binary_classification_cross_entropy_objective", value, slope)


def _hinge(values: Mapping[str, Any]) -> Loss:
    margin = np.float32(values["margin"])

    def value(z: Any, y: Any) -> Any:
        return np.maximum(margin - z * (2 * y[:, None] - 1), 0)

    def slope(z: Any, y: Any) -> Any:
        sign = 2 * y[:, None] - 1
        return np.where(z * sign < margin, -sign, np.float32(0))

    return Loss("hinge_loss", "hinge_loss_objective", value, slope)


def _softmax(values: Mapping[str, Any]) -> Loss:
    def value(z: Any, y: Any) -> Any:
        top = z.max(axis=2)
        total = np.log(np.exp(z - top[:, :, None]).sum(axis=2)) + top
        return total - z[np.arange(len(y)), :, y.astype(np.intp)]

    def slope(z: Any, y: Any) -> Any:
        share = softmax(z)
        share[np.arange(len(y)), :, y.astype(np.intp)] -= 1
        return share

    return Loss("softmax_loss", "multiclass_cross_entropy_objective", value, slope)


def softmax(z: Any) -> NDArray[Any]:
    """Along the last axis."""
    share: NDArray[Any] = np.exp(z - z.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    return share


LOSSES: dict[str, Callable[[Mapping[str, Any]], Loss]] = {
    "squared_loss": _squared,
    "absolute_loss": _absolute,
    "eps_insensitive_squared_loss": _insensitive("eps_insensitive_squared_loss", 2),
    "eps_insensitive_absolute_loss": _insensitive("eps_insensitive_absolute_loss", 1),
    "quantile_loss": _quantile,
    "huber_loss": _huber,
    "logistic": _logistic,
    "hinge_loss": _hinge,
    "softmax_loss": _softmax,
}
