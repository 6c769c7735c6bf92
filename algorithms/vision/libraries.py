"""The libraries that pictures need: PyTorch and Pillow."""

from __future__ import annotations

from algorithms.common import pytorch

NEEDED = {"torch": "PyTorch", "PIL": "Pillow"}


def demand(title: str) -> None:
    """UserError with what installs them when one is missing."""
    pytorch.demand(title, "vision", NEEDED)
