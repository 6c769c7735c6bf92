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
CELLS = 1 << 20


def mixtures(topics: Topics, counts: Any) -> Matrix:
    """(D, K), each row adding up to one; that of an empty document is the prior's."""
    found = np.concatenate([gamma for gamma, _ in _documents(topics, counts)])
    shares: Matrix = found / found.sum(axis=1, keepdims=True)
    return shares


def per_word(topics: Topics, counts: Any) -> float:
    """The bound of all documents together, by word."""
    words = float(counts.sum())
    return sum(float(bound.sum()) for _, bound in _documents(topics, counts)) / max(words, 1.0)


def _documents(topics: Topics, counts: Any) -> Iterator[tuple[Matrix, Matrix]]:
    """The variational Dirichlet (d, K) and the bound (d,) of documents, some at a time."""
    rows = sparse.csr_matrix(counts, dtype=np.float64)
    rows.eliminate_zeros()
    step = max(CELLS // (len(topics.alpha) * max(rows.nnz // max(rows.shape[0], 1), 1)), 1)
    turned = np.ascontiguousarray(topics.beta.T)
    for at in range(0, rows.shape[0], step):
        yield _infer(topics.alpha, turned, rows[at : at + step])


def _infer(alpha: Matrix, words: Matrix, rows: Any) -> tuple[Matrix, Matrix]:
    """`words` is beta turned (V, K). A document that is found does not move on with the others of its batch."""
    lengths = np.diff(rows.indptr)
    near, counts = words[rows.indices], rows.data
    owner = np.repeat(np.arange(len(lengths)), lengths)
    gamma = alpha + (np.asarray(rows.sum(axis=1)) / len(alpha))
    entries = (np.empty(len(counts)), np.arange(len(counts)), rows.indptr)
    weights = sparse.csr_matrix(entries, shape=(len(lengths), len(counts)))
    moving = np.ones(len(gamma), dtype=bool)
    for _ in range(STEPS):
        spread = _spread(gamma)
        weights.data = counts / _likelihoods(spread[owner], near)
        following = alpha + spread * (weights @ near)
        change = np.abs(following - gamma).mean(axis=1)
        gamma[moving] = following[moving]
        moving &= change > ENOUGH
        if not moving.any():
            break
    return gamma, _bounds(alpha, gamma, counts * np.log(_likelihoods(_spread(gamma)[owner], near)), owner)


def _spread(gamma: Matrix) -> Matrix:
    """exp E[log theta]."""
    found: Matrix = np.exp(digamma(gamma) - digamma(gamma.sum(axis=1, keepdims=True)))
    return found


def _likelihoods(spread: Matrix, near: Matrix) -> Matrix:
    found: Matrix = np.einsum("nk,nk->n", spread, near) + 1e-100
    return found


def _bounds(alpha: Matrix, gamma: Matrix, logarithms: Matrix, owner: Any) -> Matrix:
    of_words = np.bincount(owner, logarithms, minlength=len(gamma))
    expected = digamma(gamma) - digamma(gamma.sum(axis=1, keepdims=True))
    of_topics = ((alpha - gamma) * expected + gammaln(gamma) - gammaln(alpha)).sum(axis=1)
    found: Matrix = of_words + of_topics + gammaln(alpha.sum()) - gammaln(gamma.sum(axis=1))
    return found
