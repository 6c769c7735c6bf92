"""Epochs of training, what is measured of them, and the patience with which they are watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from algorithms.common.faults import UserError
from algorithms.object2vec.batches import Drawn, Epochs, batches, in_order
from algorithms.object2vec.network import Network, tensors
from algorithms.object2vec.optimizers import Optimizer
from algorithms.object2vec.pairs import Pairs

TOKENS = 1 << 17
"""Tokens of a side that are looked at together when nothing is learned from them."""
MEASURED = 1024
"""Pairs, likewise."""


@dataclass(frozen=True)
class Measured:
    """Means over pairs; `accuracy` is None of a regression."""

    loss: float
    accuracy: float | None


@dataclass(frozen=True)
class Epoch:
    """What one was like; `number` counts from 1."""

    number: int
    pairs: int
    batches: int
    train: Measured
    validation: Measured | None
    began: float

    @property
    def watched(self) -> float:
        """The loss by which epochs are compared: of the validation pairs when there are some."""
        return (self.validation or self.train).loss


@dataclass(frozen=True)
class Plan:
    """How long to train, on how many pairs at a time, and how far their lengths may differ (0: by anything)."""

    epochs: int
    batch: int
    width: int


def train(network: Network, optimizer: Optimizer, data: tuple[Epochs, Pairs, Pairs | None], plan: Plan, draw: Any) -> (
    Iterator[Epoch]
):  # fmt: skip
    """One epoch after another; `data` are the epochs' pairs, the records they are of, and those to validate with."""
    source, pairs, held = data
    for number in range(1, plan.epochs + 1):
        began, sums, count = time.time(), _Sums(), 0
        drawn = source.drawn()
        network.train()
        for batch in batches(pairs, drawn, plan.batch, plan.width, draw):
            scores, labels = _scored(network, pairs, batch)
            losses = _losses(network, scores, labels)
            sums.add(scores, losses, labels)
            if not torch.isfinite(losses).all():
                raise UserError(
                    f"The training has diverged in epoch {number}: a loss is no finite number. Lower learning_rate or "
                    "weight_decay."
                )
            optimizer.step(losses.mean())
            count += 1
        validation = evaluate(network, held) if held is not None else None
        yield Epoch(number, len(drawn), count, sums.means(network.shape.is_regression), validation, began)


def evaluate(network: Network, pairs: Pairs) -> Measured:
    """Of pairs that are not learned from."""
    sums = _Sums()
    longest = max(int(side.lengths.max()) for side in pairs.sides)
    network.eval()
    with torch.inference_mode():
        for batch in in_order(pairs, max(min(MEASURED, TOKENS // longest), 1)):
            scores, labels = _scored(network, pairs, batch)
            sums.add(scores, _losses(network, scores, labels), labels)
    return sums.means(network.shape.is_regression)


def _scored(network: Network, pairs: Pairs, batch: Drawn) -> tuple[Tensor, Tensor]:
    rows = (batch.first, batch.second)
    both = [tensors(side.take(own)) for side, own in zip(pairs.sides, rows, strict=True)]
    return network(both), torch.from_numpy(batch.labels)


def _losses(network: Network, scores: Tensor, labels: Tensor) -> Tensor:
    if network.shape.is_regression:
        return functional.mse_loss(scores[:, 0], labels, reduction="none")
    return functional.cross_entropy(scores, labels.long(), reduction="none")


@dataclass
class _Sums:
    loss: float = 0.0
    right: int = 0
    pairs: int = 0

    def add(self, scores: Tensor, losses: Tensor, labels: Tensor) -> None:
        self.loss += float(losses.detach().double().sum())
        self.right += int((scores.argmax(1) == labels).sum())
        self.pairs += len(labels)

    def means(self, is_regression: bool) -> Measured:
        return Measured(self.loss / self.pairs, None if is_regression else self.right / self.pairs)


@dataclass
class Patience:
    """An epoch is bad when its loss is not below the least before it by `tolerance`; so many in a row end it all."""

    epochs: int
    tolerance: float
    bad: int = 0
    least: float = float("inf")

    @property
    def is_over(self) -> bool:
        return self.bad >= self.epochs

    def take(self, loss: float) -> None:
        self.bad = 0 if loss <= self.least - self.tolerance else self.bad + 1
        self.least = min(self.least, loss)
