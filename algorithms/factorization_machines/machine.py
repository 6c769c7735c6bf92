"""The model of degree two and its gradients: Rendle, "Factorization Machines" (ICDM 2010).

y(x) = w0 + <w, x> + sum over i < j of <v_i, v_j> x_i x_j, where the last is half of sum_f ((x v_f)^2 - x^2 v_f^2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

from algorithms.common.adam import Adam, Move

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUPS = {"w0": "bias", "w1": "linear", "v": "factors"}
"""The parameters, and the word by which the hyperparameters call them."""
UNIFORM_SCALE = 0.07
"""MXNet's, for a uniform beginning whose scale is not said."""


@dataclass
class Machine:
    """Parameters: `w0` (1, 1), `w1` (d, 1), `v` (d, factors), as float32."""

    w0: NDArray[np.float32]
    w1: NDArray[np.float32]
    v: NDArray[np.float32]

    def scores(self, rows: Any) -> NDArray[np.float32]:
        """y(x) of each row (n,), dense or CSR."""
        return np.asarray(self._scores(rows, rows @ self.v, self.w1, self.v), np.float32)

    def gradients(self, rows: Any, labels: NDArray[Any], binary: bool) -> tuple[NDArray[Any], Gradients]:
        """The scores of a batch, and how the sum of its losses changes with the parameters."""
        rows, touched = _own(rows)
        chosen: Any = slice(None) if touched is None else touched
        v = self.v[chosen]
        sums = rows @ v
        scores = self._scores(rows, sums, self.w1[chosen], v)
        slope = outer(scores, labels, binary)
        own = np.asarray(_squared(rows).T @ slope)[:, None]
        return scores, Gradients(
            w0=np.array([[slope.sum()]], self.w0.dtype),
            w1=np.asarray(rows.T @ slope)[:, None],
            v=np.asarray(rows.T @ (slope[:, None] * sums)) - own * v,
            touched=touched,
        )

    def _scores(self, rows: Any, sums: Any, w1: Any, v: Any) -> NDArray[Any]:
        pairs = (sums * sums - _squared(rows) @ (v * v)).sum(axis=1) / 2
        return self.w0[0, 0] + (rows @ w1)[:, 0] + pairs


@dataclass(frozen=True)
class Gradients:
    """Of the parameters; of `w1` and `v` only the rows `touched`, None for all of them."""

    w0: NDArray[Any]
    w1: NDArray[Any]
    v: NDArray[Any]
    touched: NDArray[Any] | None


def _own(rows: Any) -> tuple[Any, NDArray[Any] | None]:
    """Sparse rows with only the columns that occur in them, and which these are: a batch may have few of millions."""
    if not hasattr(rows, "tocsr"):
        return rows, None
    touched, places = np.unique(rows.indices, return_inverse=True)
    return csr_matrix((rows.data, places, rows.indptr), shape=(rows.shape[0], len(touched))), touched


def _squared(rows: Any) -> Any:
    if not hasattr(rows, "tocsr"):
        return rows * rows
    return csr_matrix((rows.data * rows.data, rows.indices, rows.indptr), shape=rows.shape)


def begin(values: Mapping[str, Any], draw: np.random.Generator) -> Machine:
    """Parameters as the hyperparameters say that they begin."""
    shapes = {"w0": (1, 1), "w1": (values["feature_dim"], 1), "v": (values["feature_dim"], values["num_factors"])}
    made = {name: _initial(values, GROUPS[name], shape, draw) for name, shape in shapes.items()}
    for name, switch in (("w0", "use_bias"), ("w1", "use_linear")):
        if not values[switch]:
            made[name][:] = 0
    return Machine(**made)


def _initial(values: Mapping[str, Any], group: str, shape: tuple[int, ...], draw: Any) -> NDArray[np.float32]:
    method = values[f"{group}_init_method"]
    if method == "constant":
        return np.full(shape, values[f"{group}_init_value"], np.float32)
    if method == "uniform":
        scale = values.get(f"{group}_init_scale", UNIFORM_SCALE)
        return draw.uniform(-scale, scale, shape).astype(np.float32)
    return (draw.standard_normal(shape, np.float32) * values[f"{group}_init_sigma"]).astype(np.float32)


@dataclass
class Trainer:
    """Adam with a rate and a decay for each group of parameters."""

    machine: Machine
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        self._adam = Adam(self.values.get("eps", Adam.eps), self.values.get("clip_gradient", Adam.clip))

    def learn(self, rows: Any, labels: NDArray[Any], binary: bool) -> NDArray[Any]:
        """Move the parameters by one batch; its scores before that."""
        scores, found = self.machine.gradients(rows, labels, binary)
        scale = self.values.get("rescale_grad", 1 / len(labels))
        moves = {}
        for name, group in GROUPS.items():
            if self.values.get(f"use_{group}", True):
                moves[name] = Move(
                    getattr(self.machine, name),
                    getattr(found, name) * scale,
                    self.values[f"{group}_lr"],
                    self.values[f"{group}_wd"],
                    None if name == "w0" else found.touched,
                )
        self._adam.step(moves)
        return scores


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
