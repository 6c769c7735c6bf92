"""Which records the trees are grown of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def reservoir(total: int, size: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of at most `size` of `total` records, each as likely as any other: Vitter's algorithm R, place by place.

    The first records fill the places in their order; each further one takes the place of one of them, or none.
    """
    kept, later = np.arange(min(size, total)), np.arange(size, total)
    place = draw.integers(0, later + 1)
    kept[place[place < size]] = later[place < size]  # Of several in one place the last remains.
    return kept


def parts(total: int, trees: int, points: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of the records of each tree (trees, at most `points`); what does not fill all trees is left out.

    Equal parts of one sample, one after the other as it lies: what a real job's log shows (docs/quirks.md).
    """
    sample = reservoir(total, trees * points, draw)
    points = len(sample) // trees
    return sample[: trees * points].reshape(trees, points)
