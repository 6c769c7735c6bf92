"""A forest of random cut trees as arrays, grown level by level in all trees at once.

Guha, Mishra, Roy, Schrijvers, "Robust Random Cut Forest Based Anomaly Detection on Streams" (ICML 2016), definition 1:
a dimension is cut with a probability in proportion to the range of the points in it, anywhere in that range alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Numbers = NDArray[np.int32]

GROWN_AT_ONCE = 1 << 22
"""How many numbers the trees hold that grow together."""


@dataclass(frozen=True)
class Forest:
    """Nodes of all trees: first those that are cut, then the leaves.

    `roots` (trees,). Of the nodes that are cut: `child` (cut, 2), the `dimension` and `value` of the cut (what is
    greater goes to the second child). `points` (leaves, features) are the leaves' points, of which there may be several
    alike: `mass` (leaves,).
    """

    roots: Numbers
    child: Numbers
    dimension: Numbers
    value: Floats
    points: Floats
    mass: Numbers

    @property
    def trees(self) -> int:
        return len(self.roots)

    @property
    def features(self) -> int:
        return int(self.points.shape[1])

    @property
    def cuts(self) -> int:
        """How many nodes are cut; the numbers of the leaves begin here."""
        return len(self.child)

    @cached_property
    def samples(self) -> int:
        """How many points each tree was grown of."""
        return int(self.mass.sum()) // self.trees

    @cached_property
    def levels(self) -> list[Numbers]:
        """The nodes that are cut, by their depth."""
        found, reached = [], self.roots
        while len(reached := reached[reached < self.cuts]):
            found.append(reached)
            reached = self.child[reached].ravel()
        return found

    @property
    def depths(self) -> Numbers:
        """Of each tree, the most cuts between its root and a leaf."""
        owner, found = self._owners, np.zeros(self.trees, np.int32)
        for depth, nodes in enumerate(self.levels, 1):
            found[owner[nodes]] = depth
        return found

    @property
    def sizes(self) -> Numbers:
        """Of each tree, how many nodes it has."""
        return np.bincount(self._owners, minlength=self.trees).astype(np.int32)

    @cached_property
    def _owners(self) -> Numbers:
        """Of each node, the tree that it belongs to."""
        found = np.empty(self.cuts + len(self.mass), np.int32)
        found[self.roots] = np.arange(self.trees)
        for nodes in self.levels:
            found[self.child[nodes]] = found[nodes][:, None]
        return found

    def boxes(self) -> tuple[Floats, Floats]:
        """The least and the greatest values below each node that is cut: two of (cut, features)."""
        low, high = np.empty((2, self.cuts, self.features), np.float32)
        for nodes in reversed(self.levels):
            first, second = self.child[nodes].T
            low[nodes] = np.minimum(self._bound(low, first), self._bound(low, second))
            high[nodes] = np.maximum(self._bound(high, first), self._bound(high, second))
        return low, high

    def _bound(self, bounds: Floats, nodes: Numbers) -> Floats:
        is_cut = (nodes < self.cuts)[:, None]
        return np.where(is_cut, bounds[np.minimum(nodes, self.cuts - 1)], self.points[nodes - self.cuts])


def grow(samples: Floats, draw: np.random.Generator) -> Forest:
    """Trees of the samples (trees, points, features), all finite."""
    trees, points, features = samples.shape
    size = max(1, GROWN_AT_ONCE // (points * features))
    return _numbered([_grow(samples[at : at + size], draw) for at in range(0, trees, size)])


@dataclass(frozen=True)
class _Level:
    """Nodes of one depth, tree by tree: the cuts, and of the leaves among them (`is_leaf`) points and masses."""

    is_leaf: NDArray[np.bool_]
    dimension: Numbers
    value: Floats
    points: Floats
    mass: Numbers


def _grow(samples: Floats, draw: np.random.Generator) -> list[_Level]:
    trees, points, features = samples.shape
    rows = samples.reshape(-1, features)
    order, sizes = np.arange(len(rows)), np.full(trees, points)
    levels = []
    while len(sizes):
        held = rows[order]
        starts = np.cumsum(sizes) - sizes
        low, high = np.minimum.reduceat(held, starts), np.maximum.reduceat(held, starts)
        is_leaf = (low == high).all(axis=1)
        dimension, value = _cuts(low[~is_leaf], high[~is_leaf], draw)
        levels.append(_Level(is_leaf, dimension, value, low[is_leaf], sizes[is_leaf].astype(np.int32)))
        order = order[np.repeat(~is_leaf, sizes)]
        node = np.repeat(np.arange(len(value)), sizes[~is_leaf])
        side = 2 * node + (rows[order, dimension[node]] > value[node])
        order = order[np.argsort(side, kind="stable")]
        sizes = np.bincount(side, minlength=2 * len(value))
    return levels


def _cuts(low: Floats, high: Floats, draw: np.random.Generator) -> tuple[Numbers, Floats]:
    """A place along all ranges laid end to end, each alike: the dimension it falls into, and the value there."""
    ends = np.cumsum(high.astype(np.float64) - low, axis=1)
    whole = ends[:, -1]
    place = np.minimum(draw.random(len(low)) * whole, np.nextafter(whole, 0))
    dimension = (ends <= place[:, None]).sum(axis=1)
    nodes = np.arange(len(low))
    least, most = low[nodes, dimension], high[nodes, dimension]
    value = (most - (ends[nodes, dimension] - place)).astype(np.float32)
    # As a float32 it may have reached an end: a cut at the upper one would part nothing.
    return dimension.astype(np.int32), np.clip(value, least, np.nextafter(most, np.float32(-np.inf)))


def _numbered(parts: Sequence[Sequence[_Level]]) -> Forest:
    """One forest of trees that grew in several parts. The nodes of a level are the children of the cuts of the last."""
    levels = [level for part in parts for level in part]
    cut, leaf = 0, sum(len(level.value) for level in levels)
    roots, child = [], []
    for part in parts:
        for depth, level in enumerate(part):
            numbers = np.where(level.is_leaf, leaf + np.cumsum(level.is_leaf), cut + np.cumsum(~level.is_leaf)) - 1
            cut, leaf = cut + len(level.value), leaf + len(level.mass)
            (child if depth else roots).append(numbers.astype(np.int32))
    return Forest(
        roots=np.concatenate(roots),
        child=np.concatenate([np.empty(0, np.int32), *child]).reshape(-1, 2),
        dimension=np.concatenate([level.dimension for level in levels]),
        value=np.concatenate([level.value for level in levels]),
        points=np.concatenate([level.points for level in levels]),
        mass=np.concatenate([level.mass for level in levels]),
    )
