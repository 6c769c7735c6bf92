"""The two embeddings whose dot product says how well a pair goes together, and their gradients.

An entity has a vector of its own bucket. An address is its 32 bits, through layers of rectified units and a linear one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 32
BETA_1, BETA_2, EPS = 0.9, 0.999, 1e-8
"""Of Adam."""


def bits(addresses: NDArray[np.uint32]) -> NDArray[np.float32]:
    """(n, 32): +1 and -1, the first bit of the address first."""
    shifts = np.arange(BITS - 1, -1, -1, dtype=np.uint32)
    return ((addresses[:, None] >> shifts) & 1).astype(np.float32) * 2 - 1


@dataclass
class Encoders:
    """`entities` (buckets, dim); `weights` and `biases` of the layers, the linear one last."""

    entities: NDArray[np.float32]
    weights: list[NDArray[np.float32]]
    biases: list[NDArray[np.float32]]

    @classmethod
    def begin(cls, values: Mapping[str, Any], draw: np.random.Generator) -> Encoders:
        """With random vectors, as long as the layers keep them."""
        width, layers = values["vector_dim"], values["num_ip_encoder_layers"]
        sizes = [BITS] + [width] * (layers + 1)
        entities = draw.standard_normal((values["num_entity_vectors"], width), np.float32)
        entities *= np.float32(1 / np.sqrt(width))
        weights = [
            (draw.standard_normal((rows, columns)) * np.sqrt(2 / rows)).astype(np.float32)
            for rows, columns in pairwise(sizes)
        ]
        return cls(entities, weights, [np.zeros(size, np.float32) for size in sizes[1:]])

    def addresses(self, addresses: NDArray[np.uint32]) -> list[NDArray[np.float32]]:
        """What goes into each layer, and what comes out of the last."""
        through = [bits(addresses)]
        last = len(self.weights) - 1
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out = through[-1] @ weight + bias
            through.append(out if number == last else np.maximum(out, 0))
        return through

    def scores(self, buckets: NDArray[np.int64], addresses: NDArray[np.uint32]) -> NDArray[np.float32]:
        """The dot product of each pair (n,)."""
        return np.einsum("nd,nd->n", self.entities[buckets], self.addresses(addresses)[-1])

    def gradients(
        self, buckets: NDArray[np.int64], addresses: NDArray[np.uint32], seen: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """The scores, and how the mean cross-entropy of the labels `seen` (n,) changes with the parameters.

        `rows` are the buckets that occur, `entities` their gradients.
        """
        through = self.addresses(addresses)
        vectors = self.entities[buckets]
        scores = np.einsum("nd,nd->n", vectors, through[-1])
        outer = ((expit(scores) - seen) / len(seen)).astype(vectors.dtype)[:, None]
        rows, places = np.unique(buckets, return_inverse=True)
        entities = np.zeros((len(rows), vectors.shape[1]), vectors.dtype)
        np.add.at(entities, places, outer * through[-1])
        back = outer * vectors
        weights, biases = [], []
        for number in range(len(self.weights) - 1, -1, -1):
            weights.insert(0, through[number].T @ back)
            biases.insert(0, back.sum(axis=0))
            if number:
                back = (back @ self.weights[number].T) * (through[number] > 0)
        return scores, {"rows": rows, "entities": entities, "weights": weights, "biases": biases}


@dataclass
class Adam:
    """Kingma and Ba's optimizer; vectors of entities that a batch does not have stay as they are."""

    encoders: Encoders
    rate: float
    decay: float
    count: int = 0
    _moments: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def step(self, gradients: Mapping[str, Any]) -> None:
        """Move the parameters."""
        self.count += 1
        found = self.encoders
        self._move("entities", found.entities, gradients["entities"], gradients["rows"])
        for number, (weight, bias) in enumerate(zip(found.weights, found.biases, strict=True)):
            self._move(f"w{number}", weight, gradients["weights"][number])
            self._move(f"b{number}", bias, gradients["biases"][number])

    def _move(self, name: str, parameter: Any, gradient: Any, rows: Any = None) -> None:
        if name not in self._moments:
            self._moments[name] = np.zeros_like(parameter), np.zeros_like(parameter)
        first, second = self._moments[name]
        chosen = slice(None) if rows is None else rows
        gradient = gradient + self.decay * parameter[chosen]
        first[chosen] += (1 - BETA_1) * (gradient - first[chosen])
        second[chosen] += (1 - BETA_2) * (gradient * gradient - second[chosen])
        rate = self.rate * np.sqrt(1 - BETA_2**self.count) / (1 - BETA_1**self.count)
        parameter[chosen] -= (rate * first[chosen] / (np.sqrt(second[chosen]) + EPS)).astype(parameter.dtype)


def auc(scores: NDArray[Any], seen: NDArray[Any]) -> float:
    """The chance that a seen pair has a higher score than another."""
    from scipy.stats import rankdata

    positive = seen > 0
    count, others = int(positive.sum()), int((~positive).sum())
    return float((rankdata(scores)[positive].sum() - count * (count + 1) / 2) / (count * others))
