"""PyTorch, which extras bring: missed in a sentence, given as many threads as its products are worth, and room."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.threads import LARGE

TORCH = {"torch": "PyTorch"}
NO_ROOM = (
    "Out of Memory. Please use a larger instance type or reduce batch size. For additional hyper-parameters that may "
    "have an effect on memory usage, please check the algorithm documentation."
)
"""A sentence of the images' common SDK: tests/facts/first_party.json."""


def demand(who: str, extra: str = "torch", modules: Mapping[str, str] = TORCH) -> None:
    """UserError with what installs it when a module is missing. Nothing is imported: that takes seconds."""
    for module, name in modules.items():
        if find_spec(module) is None:
            raise UserError(_missing(who, name, extra))


def loaded(who: str) -> Any:
    """The library; UserError with what installs it."""
    try:
        import torch
    except ImportError as error:
        raise UserError(_missing(who, "PyTorch", "torch")) from error
    return torch


def suit_threads(multiplications: int, large: int = LARGE) -> None:
    """One thread where a step has so few multiplications that threads would rather wait for each other."""
    import torch

    if multiplications < large:
        torch.set_num_threads(1)


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Within, memory that there is not is told in the images' words, instead of PyTorch's."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "can't allocate memory" not in str(error):
            raise
        raise UserError(NO_ROOM) from error


def _missing(who: str, name: str, extra: str) -> str:
    return f"{who} needs {name}, which is not installed: pip install 'sagelet[{extra}]'"
