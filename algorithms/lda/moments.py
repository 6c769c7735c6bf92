"""The moments of word counts under LDA, seen through a whitening matrix: nothing of size V x V is ever held.

Anandkumar, Ge, Hsu, Kakade, Telgarsky, "Tensor Decompositions for Learning Latent Variable Models" (JMLR 15, 2014),
section 3.2: with the concentration alpha0, the second and the third moment of a document's words, corrected by the
first, are sums over topics of their weight times the topic's square and cube. Expectations are unbiased averages over
documents: of ordered pairs and triples of different words of one document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

SHORTEST = 3
"""Words of the shortest document that has a triple of different ones."""
SMALL = 512
"""Words of a vocabulary whose second moment is taken apart whole."""
CAUTION = 10.0
"""How many times the noise is added to each eigenvalue before whitening: a direction of noise alone is not blown up."""
CELLS = 1 << 22
"""Numbers of a chunk of work."""


@dataclass(frozen=True)
class Whitening:
    """`into` (V, n) makes of a topic's words a vector of n numbers, `back` (V, n) the reverse."""

    into: Matrix
    back: Matrix


class Moments:
    """Of documents (D, V) that have three words at least, for a concentration."""

    def __init__(self, counts: Any, alpha0: float) -> None:
        rows = sparse.csr_matrix(counts, dtype=np.float64)
        lengths = np.asarray(rows.sum(axis=1)).ravel()
        rows, lengths = rows[lengths >= SHORTEST], lengths[lengths >= SHORTEST]
        self.documents, self.words = rows.shape
        self.alpha0 = alpha0
        self._rows, self._turned = rows, rows.T.tocsr()
        share = 1 / max(self.documents, 1)
        self._ones = share / lengths
        self._pairs = self._ones / (lengths - 1)
        self._triples = self._pairs / (lengths - 2)
        self.first = self._turned @ self._ones

    def second(self, directions: Matrix) -> Matrix:
        """The second moment (V, V) times directions (V, n) or (V,)."""
        wide = directions.reshape(self.words, -1)
        found = self._turned @ (self._pairs[:, None] * (self._rows @ wide))
        found -= (self._turned @ self._pairs)[:, None] * wide
        found -= self.alpha0 / (self.alpha0 + 1) * np.outer(self.first, self.first @ wide)
        return found.reshape(directions.shape)

    def whitening(self, count: int, draw: np.random.Generator) -> Whitening:
        """Of the `count` strongest directions, or as many as have a positive eigenvalue."""
        values, vectors, least = self._strongest(count, draw)
        noise = max(-least, 0.0)
        kept = values > 1e-12 * abs(values).max(initial=0.0)
        scale = np.sqrt(values[kept] + CAUTION * noise)
        return Whitening(vectors[:, kept] / scale, vectors[:, kept] * scale)

    def _strongest(self, count: int, draw: np.random.Generator) -> tuple[Matrix, Matrix, float]:
        """The largest eigenvalues with their vectors, and the least of all, which would be zero without noise."""
        if self.words <= max(SMALL, count + 2):
            whole = self.second(np.eye(self.words))
            values, vectors = np.linalg.eigh((whole + whole.T) / 2)
            return values[::-1][:count], vectors[:, ::-1][:, :count], float(values[0])
        operator = LinearOperator(
            (self.words, self.words), matvec=self.second, matmat=self.second, dtype=np.dtype(np.float64)
        )
        start = draw.normal(size=self.words)
        values, vectors = eigsh(operator, k=count, which="LA", v0=start)
        [least] = eigsh(operator, k=1, which="SA", v0=start, tol=1e-2, return_eigenvectors=False)
        return values[::-1], vectors[:, ::-1], float(least)

    def third(self, into: Matrix) -> NDArray[np.float64]:
        """The third moment through a whitening matrix (V, n): a symmetric tensor (n, n, n)."""
        seen = self._rows @ into
        found = cubes(seen * self._triples[:, None], seen, seen)
        found -= _everywhere(cubes(into, into, self._turned @ (self._triples[:, None] * seen)))
        found += 2 * cubes(into * (self._turned @ self._triples)[:, None], into, into)
        pairs = (seen * self._pairs[:, None]).T @ seen - (into * (self._turned @ self._pairs)[:, None]).T @ into
        mean, alpha0 = into.T @ self.first, self.alpha0
        found -= alpha0 / (alpha0 + 2) * _everywhere(np.multiply.outer(pairs, mean))
        cube = np.multiply.outer(np.multiply.outer(mean, mean), mean)
        return found + 2 * alpha0**2 / ((alpha0 + 1) * (alpha0 + 2)) * cube


def cubes(one: Matrix, two: Matrix, three: Matrix) -> NDArray[np.float64]:
    """The sum over rows of their outer products (n, n, n), some rows at a time."""
    width = one.shape[1]
    total = np.zeros((width * width, width))
    step = max(CELLS // (width * width), 1)
    for at in range(0, len(one), step):
        block = slice(at, at + step)
        squares = (one[block, :, None] * two[block, None, :]).reshape(-1, width * width)
        total += squares.T @ three[block]
    return total.reshape(width, width, width)


def _everywhere(tensor: NDArray[np.float64]) -> NDArray[np.float64]:
    """A tensor (i, j, k) that is symmetric in i and j, with its last index in each of the three places."""
    return tensor + tensor.transpose(0, 2, 1) + tensor.transpose(2, 1, 0)
