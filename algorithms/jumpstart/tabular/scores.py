"""What is logged of a finished model: how good it is on the validation data."""

from __future__ import annotations

from typing import Any

import numpy as np


def say(target: np.ndarray, found: Any, classification: bool) -> None:
    """The accuracy of classes, or the mean squared error of numbers."""
    found = np.asarray(found)
    if classification:
        print(f"accuracy_score: {np.mean(found == target):.6f}", flush=True)
    else:
        print(f"mean_squared_error: {np.mean((found - target) ** 2):.6f}", flush=True)
