"""Which pairs are trained on, and which of them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.object2vec.pairs import Pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIES = 8


@dataclass(frozen=True)
class Drawn:
    """Pairs by the numbers of the records that their sides are from."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[Any]) -> Drawn:
        """Some of them."""
        return Drawn(self.first[rows], self.second[rows], self.labels[rows])


def seen(pairs: Pairs) -> Drawn:
    """The records as they are."""
    rows = np.arange(len(pairs))
    return Drawn(rows, rows, pairs.labels)


class Epochs:
    """What each epoch takes: the records, and with `rate` as many times their number with the in1 of others."""

    def __init__(self, pairs: Pairs, rate: int, draw: np.random.Generator) -> None:
        self._pairs, self._rate, self._draw = pairs, rate, draw
        self._second = pairs.sides[1].identities() if rate else np.empty(0, np.int64)

    @property
    def has_others(self) -> bool:
        """Whether there is more than one in1 to draw from."""
        return len(np.unique(self._second)) > 1

    def drawn(self) -> Drawn:
        """Those of the next epoch."""
        own = seen(self._pairs)
        if not self._rate:
            return own
        first = np.tile(own.first, self._rate)
        labels = np.zeros(len(first), np.float32)
        return Drawn(
            np.concatenate([own.first, first]),
            np.concatenate([own.second, self._others(first)]),
            np.concatenate([own.labels, labels]),
        )

    def _others(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each record another whose in1 is another one, which a few draws nearly always find."""
        count = len(self._pairs)
        found = self._draw.integers(0, count, len(rows))
        for _ in range(TRIES):
            same = np.flatnonzero(self._second[found] == self._second[rows])
            if not len(same):
                break
            found[same] = self._draw.integers(0, count, len(same))
        return found


def batches(pairs: Pairs, drawn: Drawn, size: int, width: int, draw: np.random.Generator) -> Iterator[Drawn]:
    """In an order that is drawn; with a `width`, pairs whose lengths differ by less than it are together."""
    order = draw.permutation(len(drawn))
    if not width:
        for at in range(0, len(order), size):
            yield drawn.take(order[at : at + size])
        return
    lengths = [side.lengths[rows[order]] for side, rows in zip(pairs.sides, (drawn.first, drawn.second), strict=True)]
    keys = np.stack([(one - 1) // width for one in lengths])
    _, bucket = np.unique(keys, axis=1, return_inverse=True)
    bucket = bucket.reshape(-1)
    order = order[np.argsort(bucket, kind="stable")]
    edges = np.concatenate([[0], np.cumsum(np.bincount(bucket))])
    parts = [order[at : min(at + size, end)] for start, end in pairwise(edges) for at in range(start, end, size)]
    for number in draw.permutation(len(parts)):
        yield drawn.take(parts[number])


def in_order(pairs: Pairs, size: int) -> Iterator[Drawn]:
    """All records to be measured, those of like lengths together: nothing is learned from their order."""
    drawn = seen(pairs)
    order = np.lexsort((pairs.sides[0].lengths, pairs.sides[1].lengths))
    for at in range(0, len(order), size):
        yield drawn.take(order[at : at + size])
