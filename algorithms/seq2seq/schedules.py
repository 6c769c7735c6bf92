"""Learning rates: lowered when checkpoints get no better, or with the number of batches, as Sockeye computes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from algorithms.seq2seq.hyperparameters import INV_T, PLATEAU


@dataclass
class Schedule:
    """The rate of a batch, counted from 0; `told` is called after each checkpoint."""

    base: float
    kind: str
    half_life: int
    """Batches after which a fixed rate is half of what it was."""
    factor: float
    patience: int
    bad: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Schedule:
        half_life = values["fixed_rate_lr_half_life"] * values["checkpoint_frequency_num_batches"]
        factor, patience = values["plateau_reduce_lr_factor"], values["plateau_reduce_lr_threshold"]
        return cls(values["learning_rate"], values["lr_scheduler_type"], half_life, factor, patience)

    def rate(self, batch: int) -> float:
        if self.kind == PLATEAU:
            return self.base
        if self.kind == INV_T:
            return self.base / (1 + batch / self.half_life)
        return self.base / math.sqrt(1 + 3 * batch / self.half_life)

    def told(self, improved: bool) -> bool:
        """Whether the rate falls now."""
        self.bad = 0 if improved else self.bad + 1
        if self.kind != PLATEAU or self.bad < self.patience:
            return False
        self.base *= self.factor
        self.bad = 0
        return True
