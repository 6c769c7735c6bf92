"""The library that computes: torch, on one thread, as the products of such networks are small."""

from __future__ import annotations

from algorithms.common.faults import UserError

REMEDY = "pip install 'sagelet[torch]'"


def demand() -> None:
    """UserError with what installs it where it is missing."""
    try:
        import torch
    except ImportError as error:
        raise UserError(f"DeepAR needs torch, which is not installed: {REMEDY}") from error
    torch.set_num_threads(1)
