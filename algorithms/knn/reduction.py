"""Fewer dimensions by random projection, made anew from its seed wherever it is needed.

`sign`: Achlioptas, "Database-friendly random projections" (2001), with entries of ±1. `fjlt`: the fast
Johnson-Lindenstrauss transform in its subsampled form (Ailon and Chazelle 2009; Tropp 2011): random signs, a
Walsh-Hadamard transform, a sample of its coordinates.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Reduction:
    """A projection from `input_dim` to `target_dim` dimensions; the fields are those of the model's JSON."""

    type: str
    seed: int
    target_dim: int
    input_dim: int

    def told(self) -> dict[str, Any]:
        return asdict(self)

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows (n, input_dim) become (n, target_dim); lengths are kept but for chance."""
        return self._sign(rows) if self.type == "sign" else self._fjlt(rows)

    def _sign(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return rows @ self._matrix

    def _fjlt(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        signs, chosen, size = self._parts
        padded = np.zeros((len(rows), size), np.float32)
        padded[:, : self.input_dim] = rows * signs
        step = 1
        while step < size:
            pairs = padded.reshape(len(rows), -1, 2, step)
            sums, differences = pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]
            padded = np.stack([sums, differences], axis=2).reshape(len(rows), size)
            step *= 2
        return padded[:, chosen] / np.float32(np.sqrt(self.target_dim))

    @cached_property
    def _matrix(self) -> NDArray[np.float32]:
        draw = np.random.default_rng(self.seed)
        signs = draw.integers(0, 2, (self.input_dim, self.target_dim)) * 2 - 1
        return (signs / np.sqrt(self.target_dim)).astype(np.float32)

    @cached_property
    def _parts(self) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
        """Signs (input_dim,), the coordinates that are kept, and the next power of two."""
        draw = np.random.default_rng(self.seed)
        size = 1 << (max(self.input_dim, self.target_dim) - 1).bit_length()
        signs = (draw.integers(0, 2, self.input_dim) * 2 - 1).astype(np.float32)
        return signs, draw.choice(size, self.target_dim, replace=False), size
