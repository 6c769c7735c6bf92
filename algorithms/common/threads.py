"""Threads of numpy's products of matrices: one where the products are small.

Threads that wait for each other between products of a millisecond take many times what they save, the more so when
other programs run: 0.5 seconds became 20 (32 models of 64 features and 10 classes, batches of 50, two busy cores).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

LARGE = 1 << 27
"""Multiplications from which on a product is worth several threads."""


@contextlib.contextmanager
def suited(multiplications: int) -> Iterator[None]:
    """Within, as many threads as products of so many multiplications are worth."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(1 if multiplications < LARGE else None, "blas"):
        yield
