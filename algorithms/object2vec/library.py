"""PyTorch, which trains and serves the networks, and is not installed with everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.threads import LARGE

NO_ROOM = (
    "Out of Memory. Please use a larger instance type or reduce batch size. For additional hyper-parameters that may "
    "have an effect on memory usage, please check the algorithm documentation."
)
"""A sentence of the images' common SDK: tests/facts/first_party.json."""
MISSING = "Object2Vec needs PyTorch, which is not installed: pip install 'sagelet[torch]'"


def demand() -> None:
    """UserError with what installs it, before the data are read; importing it takes seconds."""
    if find_spec("torch") is None:
        raise UserError(MISSING)


def torch() -> Any:
    """The library; UserError with what installs it."""
    try:
        import torch as library
    except ImportError as error:
        raise UserError(MISSING) from error
    return library


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Within, memory that there is not is told in the images' words, instead of PyTorch's."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "can't allocate memory" not in str(error):
            raise
        raise UserError(NO_ROOM) from error


def suit_threads(multiplications: int) -> None:
    """As many threads as a batch of so many multiplications is worth: threads that wait for each other take longer."""
    if multiplications < LARGE:
        torch().set_num_threads(1)
