"""Thread limits of numerical libraries: one in a zygote, so that it can be forked; the machine's in a program.

OPENBLAS_NUM_THREADS=1 while importing keeps OpenBLAS from starting its pool, but would then hold for the program too.
"""

from __future__ import annotations

import os
from typing import Any

_pools: list[Any] = []


def remember() -> None:
    """Find the libraries (in the zygote, after its imports: a search takes milliseconds)."""
    try:
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]
    except ImportError:
        return
    _pools.extend(ThreadpoolController().lib_controllers)


def restore() -> None:
    """Give the program's process what its environment says, else what the machine has."""
    openmp = _number("OMP_NUM_THREADS")
    blas = _number("OPENBLAS_NUM_THREADS") or openmp or len(os.sched_getaffinity(0))
    for pool in _pools:
        if pool.user_api == "blas":
            pool.set_num_threads(blas)
        elif pool.user_api == "openmp" and openmp:
            pool.set_num_threads(openmp)


def _number(name: str) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isdigit() else 0
