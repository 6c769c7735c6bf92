"""The two embeddings whose dot product says how well a pair goes together, and their gradients.

An entity has the vector of its bucket. An address is the sum of four vectors, one for the value of each octet, through
layers: the first is tanh(x W + b), each further one adds that to what it was given, so that a hundred of them learn.
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

OCTETS, VALUES = 4, 256
SPREAD = 0.05
"""The standard deviation of the vectors at the beginning."""
FURTHER = 0.3
"""How much smaller the weights of further layers begin than those of the first."""


@dataclass
class Encoders:
    """`arrays` by name: `entities` (buckets, dim), `octets` (4 * 256, dim); `weight0` (dim, dim), `bias0` (dim,) …"""

    arrays: dict[str, NDArray[np.float32]]

    @classmethod
    def begin(cls, values: Mapping[str, Any], draw: np.random.Generator) -> Encoders:
        """With random vectors."""
        width, layers = values["vector_dim"], values["num_ip_encoder_layers"]
        arrays = {"entities": _drawn((values["num_entity_vectors"], width), SPREAD, draw)}
        arrays["octets"] = _drawn((OCTETS * VALUES, width), SPREAD, draw)
        for layer in range(layers):
            spread = width**-0.5 * (FURTHER if layer else 1)
            arrays |= {f"weight{layer}": _drawn((width, width), spread, draw)}
            arrays |= {f"bias{layer}": np.zeros(width, np.float32)}
        return cls(arrays)

    @property
    def buckets(self) -> int:
        return len(self.arrays["entities"])

    @property
    def layers(self) -> int:
        return sum(name.startswith("weight") for name in self.arrays)

    def entities(self, buckets: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of entities (n, dim)."""
        return self.arrays["entities"][buckets]

    def addresses(self, addresses: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of addresses (n, dim)."""
        return self._through(addresses)[0][-1]

    def scores(self, buckets: NDArray[np.int64], addresses: NDArray[np.int64]) -> NDArray[np.float32]:
        """The dot product of each pair (n,)."""
        return np.einsum("nd,nd->n", self.entities(buckets), self.addresses(addresses))

    def _through(self, addresses: NDArray[np.int64]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """What goes into each layer and what comes out of the last; each layer's tanh."""
        given = [np.sum([self.arrays["octets"][column] for column in octets(addresses).T], axis=0)]
        bent = []
        for layer in range(self.layers):
            bent.append(np.tanh(given[-1] @ self.arrays[f"weight{layer}"] + self.arrays[f"bias{layer}"]))
            given.append(given[-1] + bent[-1] if layer else bent[-1])
        return given, bent

    def gradients(
        self, buckets: NDArray[np.int64], addresses: NDArray[np.int64], seen: NDArray[Any]
    ) -> tuple[NDArray[Any], dict[str, NDArray[Any]], NDArray[np.int64]]:
        """The scores; how the mean cross-entropy of the labels `seen` (n,) changes with the arrays, of `entities` only
        with the rows that occur; which these are."""
        rows, who = np.unique(buckets, return_inverse=True)
        hosts, where = np.unique(addresses, return_inverse=True)
        given, bent = self._through(hosts)
        own, others = self.entities(rows)[who], given[-1][where]
        scores = np.einsum("nd,nd->n", own, others)
        slope = ((expit(scores) - seen) / len(seen)).astype(own.dtype)[:, None]
        found = {"entities": _places(who, len(rows), own.dtype).T @ (slope * others)}
        back = _places(where, len(hosts), own.dtype).T @ (slope * own)
        for layer in range(self.layers - 1, -1, -1):
            steep = back * (1 - bent[layer] ** 2)
            found |= {f"weight{layer}": given[layer].T @ steep, f"bias{layer}": steep.sum(axis=0)}
            down = steep @ self.arrays[f"weight{layer}"].T
            back = back + down if layer else down
        found["octets"] = _places(octets(hosts), OCTETS * VALUES, own.dtype).T @ back
        return scores, found, rows

    def learn(self, adam: Adam, pairs: tuple[Any, Any, Any], values: Mapping[str, Any]) -> NDArray[Any]:
        """Move the arrays by a batch of buckets, addresses and whether they were seen together; its scores before."""
        scores, found, rows = self.gradients(*pairs)
        rate, decay = values["learning_rate"], values["weight_decay"]
        adam.step({
            name: Move(self.arrays[name], gradient, rate, decay, rows if name == "entities" else None)
            for name, gradient in found.items()
        })  # fmt: skip
        return scores


def octets(addresses: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 4): the row of `octets` that stands for each of the four numbers, the first of the address first."""
    return (addresses[:, None] >> np.array([24, 16, 8, 0])) % VALUES + np.arange(OCTETS) * VALUES


def _drawn(shape: tuple[int, int], spread: float, draw: np.random.Generator) -> NDArray[np.float32]:
    return draw.standard_normal(shape, np.float32) * np.float32(spread)


def _places(columns: NDArray[np.int64], width: int, kind: Any) -> csr_matrix:
    """A row for each of `columns`, one where it says."""
    each = columns.size // len(columns)
    starts = np.arange(0, columns.size + 1, each)
    return csr_matrix((np.ones(columns.size, kind), columns.ravel(), starts), (len(columns), width))


def auc(scores: NDArray[Any], seen: NDArray[Any]) -> float:
    """The chance that a seen pair has a higher score than another; equal ones count half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    count = int((seen > 0).sum())
    return float((ranks[seen > 0].sum() - count * (count + 1) / 2) / (count * (len(seen) - count)))
