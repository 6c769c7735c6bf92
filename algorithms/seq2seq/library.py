"""PyTorch, which an extra brings: imported when a network is made, and missed in a sentence."""

from __future__ import annotations

import os
from typing import Any

from algorithms.common.faults import UserError

REMEDY = "pip install 'sagelet[torch]'"
LARGE = 1 << 25
"""Multiplications of a step of the decoder from which on several threads are worth it."""


def torch() -> Any:
    """The library; UserError with what installs it."""
    try:
        import torch as found
    except ImportError as error:
        raise UserError(f"Seq2Seq needs PyTorch, which is not installed: {REMEDY}") from error
    return found


def suit_threads(multiplications: int) -> None:
    """One thread where the products are small: threads that wait for each other take longer than they save."""
    torch().set_num_threads(1 if multiplications < LARGE else os.cpu_count() or 1)
