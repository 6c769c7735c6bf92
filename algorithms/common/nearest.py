"""The nearest of many vectors, found by a product of matrices and decided by differences.

The product is fast, but what lies far from 0 and close together is lost in its own square. So vectors are compared
from their mean, and where the rounding of the product could hide a nearer one, the differences decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1 << 22
"""Numbers that are held at once."""


class Vectors:
    """Vectors (n, d) to be searched, by squared Euclidean distance or, with `inner`, by the largest inner product.

    They are compared in their own type, float32 or float64. Of equally near ones the first is nearer.
    """

    def __init__(self, vectors: NDArray[Any], inner: bool = False) -> None:
        self._vectors, self._inner = vectors, inner
        self._origin = 0.0 if inner else vectors.mean(axis=0, dtype=np.float64)
        self._centred = vectors if inner else (vectors - self._origin).astype(vectors.dtype)
        self._squares = (self._centred * self._centred).sum(axis=1)
        self._rounding = float(np.finfo(vectors.dtype).eps * (8 + 2 * vectors.shape[1] ** 0.5))

    def search(self, rows: NDArray[Any], k: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Squared distances, or negative inner products, (rows, k) and positions (rows, k), nearest first."""
        size = max(1, BLOCK // len(self._vectors))
        parts = [self._block(rows[at : at + size], k) for at in range(0, max(len(rows), 1), size)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _block(self, rows: NDArray[Any], k: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        rough, error = self._rough(rows)
        edge = rough.min(axis=1) if k == 1 else np.partition(rough, k - 1, axis=1)[:, k - 1]
        # k vectors are nearer than edge + error in truth; one that is as near is within twice the error of the edge.
        row, near = np.nonzero(~(rough > (edge + 2 * error)[:, None]))  # All, where it overflowed to NaN.
        found = self._exact(rows, row, near)
        if len(row) > len(rows):
            order = np.lexsort((near, found, row))
            found, near = found[order], near[order]
        first = np.searchsorted(row, np.arange(len(rows)))[:, None] + np.arange(k)
        return found[first], near[first]

    def _rough(self, rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """What the product says of all (rows, n), smallest nearest, and how wrong that may be of each row (rows,)."""
        centred = (rows - self._origin).astype(self._vectors.dtype)
        products, squares = centred @ self._centred.T, (centred * centred).sum(axis=1)
        if self._inner:
            return -products, self._rounding * np.sqrt(squares * self._squares.max())
        # The square of the row itself is the same for all vectors: it is left out.
        products *= -2
        products += self._squares
        return products, self._rounding * (squares + self._squares.max())

    def _exact(self, rows: NDArray[Any], row: NDArray[np.int64], near: NDArray[np.int64]) -> NDArray[Any]:
        """Of pairs of a row and a vector, by what is in truth between them."""
        found = np.empty(len(row), self._vectors.dtype)
        size = max(1, BLOCK // max(self._vectors.shape[1], 1))
        for at in range(0, len(row), size):
            some = slice(at, at + size)
            one, other = rows[row[some]], self._vectors[near[some]]
            if self._inner:
                found[some] = -np.einsum("nd,nd->n", one, other)
            else:
                one = one - other
                found[some] = np.einsum("nd,nd->n", one, one)
        return found
