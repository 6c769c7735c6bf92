"""Threads of the libraries that compute: one where products are small, and one where every core has a process.

Threads that wait for each other between products of a millisecond take many times what they save, the more so when
other programs run: 0.5 seconds became 20 (32 models of 64 features and 10 classes, batches of 50, two busy cores).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

LARGE = 1 << 27
"""Multiplications from which on a product is worth several threads."""


@contextlib.contextmanager
def suited(multiplications: int = 0) -> Iterator[None]:
    """Within, as many threads as products of matrices of so many multiplications are worth."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(1 if multiplications < LARGE else _all(), "blas"):
        yield


def one() -> Callable[[], None]:
    """One thread for all libraries that are loaded, in this process. OpenMP's are counted for each thread by itself:
    those that are begun later call what is returned."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return lambda: None
    found = ThreadpoolController().lib_controllers

    def limit() -> None:
        for library in found:
            library.set_num_threads(1)

    limit()
    return limit


def _all() -> int:
    said = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(said) if said.isdigit() and int(said) else cores
