"""Principal directions of rows that are seen batch by batch.

Exact: eigenvectors of the covariance. Randomized: a Gaussian sketch of the rows finds the space in which the strongest
directions lie, and the exact ones within it are taken (Halko, Martinsson, Tropp, "Finding structure with randomness",
2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


PASSES = 2
"""Passes over the rows after the sketch."""


@dataclass(frozen=True)
class Components:
    """Directions `v` (d, k) with singular values `s` (k,), the strongest last; what is subtracted (1, d), or None."""

    v: NDArray[np.float32]
    s: NDArray[np.float32]
    mean: NDArray[np.float32] | None


def mean_of(batches: Sequence[Any]) -> NDArray[np.float64]:
    """The mean row."""
    count = sum(len(batch) for batch in batches)
    return sum(batch.sum(axis=0, dtype=np.float64) for batch in batches) / count


def exact(batches: Sequence[Any], count: int, subtract_mean: bool) -> Components:
    """From the covariance (d, d)."""
    mean = mean_of(batches) if subtract_mean else None
    gram = _gram(batches, mean, None)
    return _strongest(gram, count, None, mean)


def randomized(batches: Sequence[Any], count: int, extra: int, subtract_mean: bool, draw: Any) -> Components:
    """From the covariance within a space of `count` + `extra` dimensions."""
    mean = mean_of(batches) if subtract_mean else None
    width = batches[0].shape[1]
    size = min(count + extra, width)
    sketch = np.zeros((size, width))
    for batch in batches:
        mixing = draw.standard_normal((size, len(batch)))
        sketch += mixing @ _centred(batch, mean)
    space, _ = np.linalg.qr(sketch.T)
    for _ in range(PASSES):  # Each sharpens the space where the strengths of the directions lie close together.
        turned = sum((rows := _centred(batch, mean)).T @ (rows @ space) for batch in batches)
        space, _ = np.linalg.qr(turned)
    return _strongest(_gram(batches, mean, space), count, space, mean)


def _gram(batches: Sequence[Any], mean: Any, space: Any) -> NDArray[np.float64]:
    """The sum of x xᵀ over the rows, of their coordinates in the space if one is given."""
    width = batches[0].shape[1] if space is None else space.shape[1]
    gram = np.zeros((width, width))
    for batch in batches:
        rows = _centred(batch, mean)
        rows = rows if space is None else rows @ space
        gram += rows.T @ rows
    return gram


def _centred(batch: Any, mean: Any) -> NDArray[np.float64]:
    rows = np.asarray(batch, dtype=np.float64)
    return rows if mean is None else rows - mean


def _strongest(gram: Any, count: int, space: Any, mean: Any) -> Components:
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[-count:], vectors[:, -count:]
    vectors = vectors if space is None else space @ vectors
    # A direction has no sign: the one whose largest coordinate is positive, so that the same data give the same model.
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(count)])
    return Components(
        vectors.astype(np.float32),
        np.sqrt(np.maximum(values, 0)).astype(np.float32),
        None if mean is None else mean[None, :].astype(np.float32),
    )
