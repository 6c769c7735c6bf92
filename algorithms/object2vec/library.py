"""PyTorch, which trains and serves the networks, and is not installed with everything else."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.threads import LARGE

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


def suit_threads(multiplications: int) -> None:
    """As many threads as a batch of so many multiplications is worth: threads that wait for each other take longer."""
    if multiplications < LARGE:
        torch().set_num_threads(1)
