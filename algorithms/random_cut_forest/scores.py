"""Anomaly scores: by how much a forest is expected to change when a point is added to it.

The point goes down each tree to a leaf. At each node on its way it would be cut off, with the probability that a cut of
the box around both falls between them, and become a leaf one below: 1 / (depth + 1). That of a leaf which is the very
point is lowered by the leaf's mass. The mean over the trees, in units of log2(points of a tree + 1).
As in the open source of the same name, github.com/aws/random-cut-forest-by-aws (AnomalyScoreVisitor, CommonUtils).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from algorithms.random_cut_forest.forest import Forest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Numbers = NDArray[np.intp]

COMPARED_AT_ONCE = 1 << 18
"""About how many numbers of boxes are held at once."""

SMALL = 1 << 16
"""Up to so many cuts, one point is compared with all of them at once sooner than with those on its way, step by step:
memory is read in one go, which counts in a server that does other things between two points."""


class Scorer:
    """A forest made ready to score points. Called from several threads at once."""

    def __init__(self, forest: Forest) -> None:
        self.features = forest.features
        self._forest = forest
        # Numbered so that the second child follows the first: of two takes and an addition is a step down a tree made.
        self._place = np.concatenate([forest.roots, forest.child.ravel()]).astype(np.intp)
        cut = np.minimum(self._place, forest.cuts)
        self._first = np.where(cut < forest.cuts, forest.trees + 2 * cut, np.arange(len(cut)))
        self._dimension = np.append(forest.dimension, 0).astype(np.intp)[cut]
        self._value = np.append(forest.value, np.float32(np.inf))[cut]
        self._cut = forest.dimension.astype(np.intp), forest.value
        self._children = np.ascontiguousarray(forest.child.T, np.int32)
        self._leaves = np.arange(forest.cuts, forest.cuts + len(forest.mass), dtype=np.int32)
        low, high = forest.boxes()
        self._bounds = np.concatenate([low, -high], axis=1)
        self._range = (high.astype(np.float64) - low).sum(axis=1)
        self._levels = len(forest.levels)
        self._unit = np.log2(forest.samples + 1.0)

    def scores(self, rows: Floats) -> Floats:
        """Of each row (n, features), one number (n,)."""
        size = max(1, COMPARED_AT_ONCE // (self.features * 16))
        together = max(1, size // self._forest.trees)
        means = [self._means(rows[at : at + together], size) for at in range(0, len(rows), together)]
        return (np.concatenate(means) * self._unit).astype(np.float32)

    def _means(self, rows: Floats, size: int) -> Doubles:
        """Over the trees, of which so many at once are asked that there are `size` pairs of a row and a tree."""
        row, tree = np.divmod(np.arange(len(rows) * self._forest.trees), self._forest.trees)
        parts = [self._scores(rows, row[at : at + size], tree[at : at + size]) for at in range(0, len(row), size)]
        return np.concatenate(parts).reshape(len(rows), -1).mean(axis=1)

    def _scores(self, rows: Floats, row: Numbers, tree: Numbers) -> Doubles:
        """Of pairs of a row and a tree."""
        alone = len(rows) == 1
        is_small = alone and self._forest.cuts <= SMALL and len(tree) == self._forest.trees
        ways = self._ways_of_one(rows[0]) if is_small else self._ways(rows, row, tree)
        is_cut = ways < self._forest.cuts
        bounds = np.concatenate([rows, -rows], axis=1)
        ends = bounds if alone else bounds.take(row[np.nonzero(is_cut)[1]], axis=0)
        remains = np.ones((len(ways) + 1, len(row)))
        remains[1:][is_cut] = self._not_cut_off(ends, ways[is_cut])
        np.cumprod(remains, axis=0, out=remains)
        score = (1.0 / np.arange(1, len(ways) + 1)) @ (remains[:-1] - remains[1:])
        point = rows if alone else rows.take(row, axis=0)
        return score + remains[-1] * self._at_leaf(point, ways[-1], is_cut.sum(axis=0))

    def _ways_of_one(self, point: Floats) -> Numbers:
        """As `_ways`, of one point in all trees."""
        dimension, value = self._cut
        first, second = self._children
        below = np.concatenate([np.where(point.take(dimension) > value, second, first), self._leaves])
        found = np.empty((self._levels + 1, self._forest.trees), np.int32)
        found[0] = self._forest.roots
        for level in range(self._levels):
            below.take(found[level], out=found[level + 1], mode="clip")
        return found

    def _ways(self, rows: Floats, row: Numbers, tree: Numbers) -> Numbers:
        """The nodes from the roots to the leaves (levels, pairs); who has arrived early stays."""
        numbers, start = rows.ravel(), row * self.features
        node, found = tree, []
        while True:
            found.append(node)
            value = self._value.take(node)
            if value.min() == np.inf:
                return self._place.take(np.stack(found))
            here = numbers.take(start + self._dimension.take(node))
            node = self._first.take(node) + (here > value)

    def _not_cut_off(self, ends: Floats, cut: Numbers) -> Doubles:
        """How likely a cut of the box around a node and the point does not part the two; `ends` is the point as a box,
        as `_bounds` are: below the least of a box and above its greatest are then the same."""
        with np.errstate(divide="ignore", over="ignore"):
            outside = self._bounds.take(cut, axis=0)
            outside -= ends
            np.maximum(outside, 0, out=outside)
            return 1 - 1 / (1 + self._range.take(cut) / np.einsum("nd->n", outside))

    def _at_leaf(self, point: Floats, node: Numbers, depth: Numbers) -> Doubles:
        leaf = node - self._forest.cuts
        seen = (self._forest.points.take(leaf, axis=0) == point).all(axis=1)
        if not seen.any():
            return 1.0 / (depth + 1)
        mass = self._forest.mass.take(leaf)
        damped = 1 - mass / (2 * self._forest.samples)
        return np.where(seen, damped / (depth + np.log2(mass + 1.0)), 1.0 / (depth + 1))
