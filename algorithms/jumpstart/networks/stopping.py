"""Early stopping, with the hyperparameters that the families have for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn


class Stopping:
    """Ends training behind `early_stopping_patience` epochs without a score that is higher by more than
    `early_stopping_min_delta`, and puts the values of the best one back."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._on = values["early_stopping"] == "True"
        self._patience, self._least = values["early_stopping_patience"], values["early_stopping_min_delta"]
        self._best, self._without = float("-inf"), 0
        self._kept: dict[str, Any] = {}

    def ends(self, score: float, network: nn.Module) -> bool:
        """Whether training ends behind the epoch that had this score; higher is better."""
        if not self._on:
            return False
        if score > self._best + (self._least if self._kept else 0.0):
            self._best, self._without = score, 0
            self._kept = {name: value.clone() for name, value in network.state_dict().items()}
            return False
        self._without += 1
        if self._without < self._patience:
            return False
        network.load_state_dict(self._kept)
        return True
