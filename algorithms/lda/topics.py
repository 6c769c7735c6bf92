"""An LDA model of word counts: the Dirichlet prior alpha (K,) and the words of each topic beta (K, V)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.lda.decomposition import Components, Patience, decompose
from algorithms.lda.moments import Moments, Whitening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

MORE = 1.25
"""So many times the topics asked for are computed, and those with the largest priors returned, as the developer guide
says: docs.aws.amazon.com/sagemaker/latest/dg/lda-how-it-works.html"""
ALIKE = 0.9
"""The cosine of two topics' words above which they are one that was found twice."""
BACKGROUND = 1e-3
"""The share of the corpus' own words in each topic: no word that was seen is impossible."""


class TooFewDirections(ValueError):
    """The documents do not tell as many topics apart as were asked for.

    Kruskal: the decomposition of a tensor (n, n, n) into r cubes is unique when 2 r + 2 <= 3 n.
    """


@dataclass(frozen=True)
class Topics:
    """alpha (K,), beta (K, V); the rows of beta add up to one."""

    alpha: Matrix
    beta: Matrix


@dataclass(frozen=True)
class Wanted:
    """How many topics, of which concentration, and how long to look for them."""

    topics: int
    alpha0: float
    patience: Patience


def learn(counts: Any, wanted: Wanted, draw: np.random.Generator, say: Callable[[str], None]) -> Topics:
    """From documents (D, V), dense or CSR; TooFewDirections when their words do not vary enough."""
    topics, alpha0 = wanted.topics, wanted.alpha0
    moments = Moments(counts, alpha0)
    if not moments.documents:
        raise TooFewDirections("no document has three words")
    more = math.ceil(MORE * topics)
    whitening = moments.whitening(min(more, moments.words), draw)
    found = whitening.into.shape[1]
    say(f"whitened {moments.documents} documents of {moments.words} words into {found} dimensions")
    most = max((3 * found - 2) // 2, min(found, 1))
    if topics > most:
        raise TooFewDirections(
            f"the documents' words vary in {found} directions, which tell no more than {most} topics apart"
        )
    tensor = moments.third(whitening.into)
    components = decompose(tensor, more, wanted.patience, draw, say)
    alpha, beta = _unwhitened(components, whitening, alpha0)
    alpha, beta = _once(alpha, beta, topics)
    if not alpha.any():
        raise TooFewDirections("the words of a document do not depend on each other")
    kept = np.argsort(-alpha, kind="stable")[:topics]
    alpha = np.maximum(alpha[kept], 1e-6 * alpha.sum())
    seen = moments.first + 1 / (moments.documents * moments.words)
    beta = (1 - BACKGROUND) * beta[kept] + BACKGROUND * seen / seen.sum()
    return Topics(alpha * alpha0 / alpha.sum(), beta)


def _unwhitened(components: Components, whitening: Whitening, alpha0: float) -> tuple[Matrix, Matrix]:
    """Priors and words. That a topic's words add up to one gives a component's scale, whether or not it is
    orthogonal to the others, and with it the prior, which is its weight in the third moment."""
    words = whitening.back @ components.vectors
    mass = words.sum(axis=0)
    mass = np.where(np.abs(mass) > 1e-12, mass, 1e-12)
    alpha = components.weights * mass**3 * alpha0 * (alpha0 + 1) * (alpha0 + 2) / 2
    return np.maximum(alpha, 0.0), np.array([on_simplex(topic) for topic in (words / mass).T])


def _once(alpha: Matrix, beta: Matrix, least: int) -> tuple[Matrix, Matrix]:
    """Those that are the same topic put together, the most similar first, as long as more are left than `least`."""
    while len(alpha) > least:
        unit = beta / np.linalg.norm(beta, axis=1, keepdims=True)
        similar = np.triu(unit @ unit.T, 1)
        one, other = np.unravel_index(int(similar.argmax()), similar.shape)
        if similar[one, other] < ALIKE:
            break
        both = alpha[one] + alpha[other]
        share = alpha[one] / both if both > 0 else 0.5
        beta[one], alpha[one] = share * beta[one] + (1 - share) * beta[other], both
        alpha, beta = np.delete(alpha, other), np.delete(beta, other, axis=0)
    return alpha, beta


def on_simplex(point: Matrix) -> Matrix:
    """The nearest point whose numbers are not negative and add up to one (Duchi and others, ICML 2008)."""
    ordered = np.sort(point)[::-1]
    excess = (np.cumsum(ordered) - 1) / np.arange(1, len(point) + 1)
    last = np.nonzero(ordered > excess)[0][-1]
    found: Matrix = np.maximum(point - excess[last], 0.0)
    return found / found.sum()
