"""A symmetric tensor as a sum of cubes of vectors, by Alternating Least Squares.

Kolda, Bader, "Tensor Decompositions and Applications" (SIAM Review 51, 2009), section 3.4. Each start is led by some
steps with orthogonalised factors, which keeps several of them from chasing the same component: Sharan, Valiant,
"Orthogonalized ALS" (ICML 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

LEADING = 30
"""Steps with orthogonalised factors."""
SAME = 1e-4
"""Relative difference of two errors that are one solution's."""


@dataclass(frozen=True)
class Components:
    """Vectors (n, r) of length one with positive weights (r,), and what they leave of the tensor (0 to 1)."""

    weights: Matrix
    vectors: Matrix
    error: float


@dataclass(frozen=True)
class Patience:
    """When to stop: starts, steps of each, and the change of the error that is none."""

    restarts: int
    iterations: int
    tolerance: float


def decompose(
    tensor: Matrix, count: int, patience: Patience, draw: np.random.Generator, say: Callable[[str], None]
) -> Components:
    """The best of several starts; what was found from two of them needs no third."""
    best: Components | None = None
    for restart in range(patience.restarts):
        factors = _lead(tensor, draw.normal(size=(len(tensor), count)))
        found, steps = _alternate(tensor, factors, patience)
        say(f"ALS restart {restart}: {steps} iterations, relative error {found.error:.6g}")
        again = best is not None and abs(found.error - best.error) < SAME * best.error
        if best is None or found.error < best.error:
            best = found
        if again:
            break
    assert best is not None
    return best


def _lead(tensor: Matrix, factors: Matrix) -> Matrix:
    """Orthogonal iteration; factors beyond the dimension stay as they were drawn."""
    width = len(factors)
    for _ in range(LEADING):
        basis, _ = np.linalg.qr(factors[:, :width])
        inside = np.einsum("ijk,jr,kr->ir", tensor, basis, basis, optimize=True)
        strength = np.argsort(-np.linalg.norm(inside, axis=0), kind="stable")
        factors = np.concatenate([inside[:, strength], factors[:, width:]], axis=1)
    lengths = np.linalg.norm(factors, axis=0)
    return factors / np.where(lengths > 0, lengths, 1.0)


def _alternate(tensor: Matrix, start: Matrix, patience: Patience) -> tuple[Components, int]:
    flat, whole = tensor.reshape(len(tensor), -1), float(np.linalg.norm(tensor)) or 1.0
    one, two, three = start, start, start
    weights, error, steps = np.ones(start.shape[1]), np.inf, 0
    while steps < patience.iterations:
        steps += 1
        one, _, _ = _solve(flat, two, three)
        two, _, _ = _solve(flat, one, three)
        three, weights, inner = _solve(flat, one, two)
        gram = (one.T @ one) * (two.T @ two) * (three.T @ three)
        left = max(whole**2 - 2 * inner + float(weights @ gram @ weights), 0.0)
        before, error = error, left**0.5 / whole
        if abs(before - error) < patience.tolerance:
            break
    # The three factors of a symmetric tensor are one but for signs, which belong to the cube.
    signs = np.sign((one * two).sum(axis=0)) * np.sign((one * three).sum(axis=0))
    return Components(weights, one * np.where(signs < 0, -1.0, 1.0), error), steps


def _solve(flat: Matrix, two: Matrix, three: Matrix) -> tuple[Matrix, Matrix, float]:
    """The factor that fits best with two others; its columns' lengths; the inner product of fit and tensor."""
    products = (two[:, None, :] * three[None, :, :]).reshape(-1, two.shape[1])
    seen = flat @ products
    gram = (two.T @ two) * (three.T @ three)
    gram[np.diag_indices_from(gram)] += 1e-12  # Of two equal columns, neither explodes.
    found = np.linalg.solve(gram, seen.T).T
    lengths = np.linalg.norm(found, axis=0)
    lengths = np.where(lengths > 0, lengths, 1.0)
    return found / lengths, lengths, float((seen * found).sum())
