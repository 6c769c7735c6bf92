"""Which topics documents are made of: variational inference with the topics given.

Blei, Ng, Jordan, "Latent Dirichlet Allocation" (JMLR 3, 2003), section 5.2. A document's mixture is the mean of its
variational Dirichlet; its bound is a lower bound of the logarithm of the document's probability, word by word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.special import digamma, gammaln

from algorithms.lda.topics import Topics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

STEPS = 200
ENOUGH = 1e-4
"""The mean change of a document's Dirichlet at which it is found."""
LEAST = 1e-100


class Inference:
    """Of one model, for any number of documents (D, V), dense or CSR."""

    def __init__(self, topics: Topics) -> None:
        self._alpha = topics.alpha
        self._words = np.ascontiguousarray(topics.beta.T)

    def mixtures(self, counts: Any) -> Matrix:
        """(D, K), each row adding up to one; that of an empty document is the prior's."""
        found = np.array([self._dirichlet(near, words) for near, words in self._documents(counts)])
        shares: Matrix = found / found.sum(axis=1, keepdims=True)
        return shares

    def per_word(self, counts: Any) -> float:
        """The bound of all documents together, by word."""
        found = sum(self._bound(near, words) for near, words in self._documents(counts))
        return float(found / max(float(counts.sum()), 1.0))

    def _documents(self, counts: Any) -> Iterator[tuple[Matrix, Matrix]]:
        """What each topic gives to the words that a document has (n, K), and how often it has them (n,)."""
        rows = sparse.csr_matrix(counts, dtype=np.float64)
        for start, end in zip(rows.indptr, rows.indptr[1:], strict=False):
            yield self._words[rows.indices[start:end]], rows.data[start:end]

    def _dirichlet(self, near: Matrix, words: Matrix) -> Matrix:
        found = self._alpha + words.sum() / len(self._alpha)
        for _ in range(STEPS):
            spread = _spread(found)
            following: Matrix = self._alpha + spread * ((words / (near @ spread + LEAST)) @ near)
            change = np.abs(following - found).sum()
            found = following
            if change < ENOUGH * len(found):
                break
        return found

    def _bound(self, near: Matrix, words: Matrix) -> float:
        found, alpha = self._dirichlet(near, words), self._alpha
        of_words = words @ np.log(near @ _spread(found) + LEAST)
        expected = digamma(found) - digamma(found.sum())
        of_topics = ((alpha - found) * expected + gammaln(found) - gammaln(alpha)).sum()
        return float(of_words + of_topics + gammaln(alpha.sum()) - gammaln(found.sum()))


def _spread(dirichlet: Matrix) -> Matrix:
    """exp E[log theta]."""
    found: Matrix = np.exp(digamma(dirichlet) - digamma(dirichlet.sum()))
    return found
