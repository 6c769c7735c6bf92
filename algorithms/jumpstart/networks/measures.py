"""How good answers are: what `eval_metric` may name, as Keras computes it of probabilities and a threshold of 0.5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = Any


def accuracy(chances: Array, labels: Array) -> float:
    """Of one column (the second class) or of one for each class."""
    found = chances.argmax(axis=1) if chances.shape[1] > 1 else chances[:, 0] > 0.5
    return float(np.mean(found == labels))


def precision(chances: Array, labels: Array) -> float:
    """Of those that are told to be of the second class, how many are."""
    told = chances[:, 0] > 0.5
    return float(np.mean(labels[told] == 1)) if told.any() else 0.0


def recall(chances: Array, labels: Array) -> float:
    """Of those of the second class, how many are told to be."""
    return float(np.mean(chances[labels == 1, 0] > 0.5)) if (labels == 1).any() else 0.0


def auc(chances: Array, labels: Array) -> float:
    """The chance that one of the second class is put above one of the first."""
    ones, zeros = chances[labels == 1, 0], chances[labels == 0, 0]
    if not len(ones) or not len(zeros):
        return 0.0
    higher = (ones[:, None] > zeros[None]).mean() + (ones[:, None] == zeros[None]).mean() / 2
    return float(higher)


def prc(chances: Array, labels: Array) -> float:
    """The area under precision by recall."""
    if not (labels == 1).any():
        return 0.0
    right = labels[np.argsort(-chances[:, 0], kind="stable")] == 1
    return float((np.cumsum(right) / np.arange(1, len(right) + 1))[right].mean())


MEASURES: Mapping[str, Callable[[Array, Array], float]] = {
    "accuracy": accuracy, "precision": precision, "recall": recall, "auc": auc, "prc": prc,
}  # fmt: skip
