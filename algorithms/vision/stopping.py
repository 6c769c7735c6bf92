"""When training goes on, and at what rate: steps of the learning rate, and early stopping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def rate(first: float, factor: float, steps: Sequence[int], epoch: int) -> float:
    """The learning rate in an epoch (from 0): it has been multiplied by `factor` at the start of each of `steps`."""
    return first * factor ** sum(epoch >= step for step in steps)


@dataclass
class EarlyStopping:
    """After `min_epochs`, as many epochs in a row as `patience` without an improvement end the training.

    An improvement is one by more than `tolerance` of the best so far.
    """

    min_epochs: int
    patience: int
    tolerance: float
    best: float = float("-inf")
    without: int = 0

    def ends(self, epoch: int, score: float) -> bool:
        """Whether training ends behind this epoch (from 0); a higher score is a better one."""
        better = self.best == float("-inf") or score > self.best + self.tolerance * abs(self.best)
        self.without = 0 if better else self.without + 1
        self.best = max(self.best, score)
        return epoch + 1 >= self.min_epochs and self.without >= self.patience
