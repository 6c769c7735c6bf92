"""How each kind of job does its phases: one file a recipe, and the port that they fulfil in `recipe.py`.

A recipe writes no record and decides no status: it does a phase and says what it found out.
"""

from __future__ import annotations

import importlib
from typing import Any

HERE = "emulator.jobs.recipes"
RECIPES: tuple[tuple[str, str, str, str], ...] = (
    ("training", "TrainingJob", f"{HERE}.training:TrainingRun", f"{HERE}.faces:training"),
    ("processing", "ProcessingJob", f"{HERE}.processing:ProcessingRun", f"{HERE}.faces:processing"),
    ("transform", "TransformJob", f"{HERE}.transform:TransformRun", f"{HERE}.faces:transform"),
)
"""(recipe, noun of the kind, "module:class" that does the phases, "module:function" that shows them)."""


def load(path: str) -> Any:
    """The object that `module:attribute` names."""
    module, attribute = path.split(":")
    return getattr(importlib.import_module(module), attribute)
