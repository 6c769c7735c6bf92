"""The libraries that pictures need: PyTorch and Pillow."""

from __future__ import annotations

import importlib.util

from algorithms.common.faults import UserError

REMEDY = "pip install 'sagelet[vision]'"
NEEDED = {"torch": "PyTorch", "PIL": "Pillow"}


def demand(title: str) -> None:
    """UserError with what installs them when one is missing. Nothing is imported: that takes seconds."""
    for module, name in NEEDED.items():
        if importlib.util.find_spec(module) is None:
            raise UserError(f"{title} needs {name}, which is not installed: {REMEDY}")
