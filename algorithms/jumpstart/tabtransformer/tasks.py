"""What the network's outputs mean: a number, the chance of the second of two labels, or chances of several labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Task:
    """`loss` is of (outputs, targets), the mean of the rows; `answer` makes what an endpoint answers; `metric` is the
    name in the log of what `score` says of (answers, targets)."""

    outputs: int
    loss: Callable[[Tensor, Tensor], Tensor]
    answer: Callable[[Tensor], Tensor]
    metric: str
    score: Callable[[np.ndarray, np.ndarray], float]


def of(labels: list[Any] | None) -> Task:
    """Labels are those of a classification, in order; None for a regression."""
    if labels is None:
        return Task(1, _squared, lambda found: found[:, 0], "r2", r2)
    if len(labels) == 2:
        return Task(1, _logistic, _two, "f1", f1)
    return Task(len(labels), functional.cross_entropy, lambda found: found.softmax(dim=1), "accuracy", accuracy)


def r2(found: np.ndarray, target: np.ndarray) -> float:
    """1 is perfect, 0 is as good as the mean; of a target that does not vary it is 0."""
    whole = float(np.sum((target - target.mean()) ** 2))
    return 1 - float(np.sum((target - found) ** 2)) / whole if whole else 0.0


def f1(chances: np.ndarray, target: np.ndarray) -> float:
    """Of the second label."""
    found = chances[:, 1] > 0.5
    right = int(np.sum(found & (target == 1)))
    return 2 * right / max(int(found.sum()) + int(np.sum(target == 1)), 1)


def accuracy(chances: np.ndarray, target: np.ndarray) -> float:
    """The part of the rows whose label is the likeliest."""
    return float(np.mean(np.argmax(chances, axis=1) == target))


def _squared(found: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(found[:, 0], target.float())


def _logistic(found: Tensor, target: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(found[:, 0], target.float())


def _two(found: Tensor) -> Tensor:
    chance = torch.sigmoid(found)
    return torch.cat([1 - chance, chance], dim=1)
