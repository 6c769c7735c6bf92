"""The model of degree two and its gradients: Rendle, "Factorization Machines" (ICDM 2010).

y(x) = w0 + <w, x> + sum over i < j of <v_i, v_j> x_i x_j, where the last is half of sum_f ((x v_f)^2 - x^2 v_f^2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUPS = {"w0": "bias", "w1": "linear", "v": "factors"}
"""The parameters, and the word by which the hyperparameters call them."""
BETA_1, BETA_2, EPS = 0.9, 0.999, 1e-8
"""Of Adam, which real jobs name as `_optimizer`."""


@dataclass
class Machine:
    """Parameters: `w0` (1, 1), `w1` (d, 1), `v` (d, factors), as float32."""

    w0: NDArray[np.float32]
    w1: NDArray[np.float32]
    v: NDArray[np.float32]

    def scores(self, rows: csr_matrix) -> NDArray[np.float32]:
        """y(x) of each row (n,)."""
        sums = rows @ self.v
        pairs = (sums * sums - _squared(rows) @ (self.v * self.v)).sum(axis=1) / 2
        return np.asarray(self.w0[0, 0] + (rows @ self.w1)[:, 0] + pairs, np.float32)

    def gradients(self, rows: csr_matrix, outer: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Of the parameters, when the loss changes by `outer` (n,) with the score of each row."""
        sums = rows @ self.v
        weighted = rows.multiply(outer[:, None]).tocsr()
        squares = np.asarray(_squared(rows).T @ outer)[:, None]
        return {
            "w0": np.array([[outer.sum()]], self.w0.dtype),
            "w1": np.asarray(rows.T @ outer)[:, None],
            "v": np.asarray(weighted.T @ sums) - squares * self.v,
        }


def _squared(rows: csr_matrix) -> csr_matrix:
    return csr_matrix((rows.data * rows.data, rows.indices, rows.indptr), shape=rows.shape)


def begin(values: Mapping[str, Any], draw: np.random.Generator) -> Machine:
    """Parameters as the hyperparameters say that they begin."""
    shapes = {"w0": (1, 1), "w1": (values["feature_dim"], 1), "v": (values["feature_dim"], values["num_factors"])}
    return Machine(**{name: _initial(values, GROUPS[name], shape, draw) for name, shape in shapes.items()})


def _initial(values: Mapping[str, Any], group: str, shape: tuple[int, ...], draw: Any) -> NDArray[np.float32]:
    method = values[f"{group}_init_method"]
    if method == "constant":
        return np.full(shape, values.get(f"{group}_init_value") or 0.0, np.float32)
    if method == "uniform":
        scale = values.get(f"{group}_init_scale") or 0.0
        return draw.uniform(-scale, scale, shape).astype(np.float32)
    return (draw.standard_normal(shape, np.float32) * values[f"{group}_init_sigma"]).astype(np.float32)


@dataclass
class Adam:
    """Kingma and Ba's optimizer, with a rate and a decay for each group; the loss's mean is what it follows."""

    machine: Machine
    values: Mapping[str, Any]
    count: int = 0
    _first: dict[str, Any] = field(default_factory=dict)
    _second: dict[str, Any] = field(default_factory=dict)

    def step(self, gradients: Mapping[str, NDArray[Any]], size: int) -> None:
        """Move the parameters by the gradients' sums over a batch of `size` rows."""
        self.count += 1
        scale = self.values.get("rescale_grad")
        clip = self.values.get("clip_gradient")
        eps = self.values.get("eps") or EPS
        for name, group in GROUPS.items():
            if (name == "w0" and not self.values["use_bias"]) or (name == "w1" and not self.values["use_linear"]):
                continue
            parameter = getattr(self.machine, name)
            gradient = gradients[name] * (1 / size if scale is None else scale)
            if clip:
                gradient = np.clip(gradient, -abs(clip), abs(clip))
            gradient = gradient + self.values[f"{group}_wd"] * parameter
            first = self._first.setdefault(name, np.zeros_like(parameter))
            second = self._second.setdefault(name, np.zeros_like(parameter))
            first += (1 - BETA_1) * (gradient - first)
            second += (1 - BETA_2) * (gradient * gradient - second)
            rate = self.values[f"{group}_lr"] * np.sqrt(1 - BETA_2**self.count) / (1 - BETA_1**self.count)
            parameter -= (rate * first / (np.sqrt(second) + eps)).astype(parameter.dtype)


def outer(scores: NDArray[Any], labels: NDArray[Any], binary: bool) -> NDArray[Any]:
    """How the loss changes with each score: of half the squared error, or of the cross-entropy."""
    return (expit(scores) - labels) if binary else (scores - labels)


def measures(scores: NDArray[Any], labels: NDArray[Any], binary: bool) -> dict[str, tuple[float, str]]:
    """The values of the metrics, and whether each is a loss or a score."""
    scores, labels = scores.astype(np.float64), labels.astype(np.float64)
    if not binary:
        gaps = scores - labels
        squared = float((gaps * gaps).mean())
        return {
            "rmse": (squared**0.5, "loss"),
            "mse": (squared, "loss"),
            "absolute_loss": (float(np.abs(gaps).mean()), "loss"),
        }
    found = scores > 0
    entropy = float((np.logaddexp(0, scores) - labels * scores).mean())
    right = float((found & (labels == 1)).sum())
    both = float(found.sum() + (labels == 1).sum())
    return {
        "binary_classification_accuracy": (float((found == (labels == 1)).mean()), "score"),
        "binary_classification_cross_entropy": (entropy, "loss"),
        "binary_f_1.000": (2 * right / both if both else 0.0, "score"),
    }
