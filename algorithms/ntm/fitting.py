"""Epochs of training, and the patience with which they are watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.ntm.network import Losses, Network
from algorithms.ntm.optimizers import Optimizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVALUATION = 7
"""The seed of the noise with which losses are measured: the same each time, so that epochs can be compared."""
CELLS = 1 << 25
"""Chances of words that are held at once: a batch of a large vocabulary is taken in parts."""


@dataclass(frozen=True)
class Plan:
    """How long to train, on how many documents at a time, and on which part of all in each epoch."""

    epochs: int
    batch: int
    part: float = 1.0


@dataclass(frozen=True)
class Measured:
    """Means over the documents that have words."""

    kld: float
    recons: float

    @property
    def total(self) -> float:
        """A bound of the logarithm of the perplexity."""
        return self.kld + self.recons


@dataclass(frozen=True)
class Epoch:
    """What one was like; `number` counts from 1, `seconds` are of training and of validation."""

    number: int
    documents: int
    batches: int
    train: Measured
    validation: Measured | None
    seconds: tuple[float, float]

    @property
    def watched(self) -> float:
        """The loss by which models are compared: of the validation documents when there are some."""
        return (self.validation or self.train).total


def train(
    network: Network, optimizer: Optimizer, documents: tuple[Any, Any | None], plan: Plan, draw: np.random.Generator
) -> Iterator[Epoch]:
    """One epoch after another; `documents` are those to train on and those to validate with."""
    rows, held = documents
    whole = rows.shape[0]
    count = max(round(plan.part * whole), 1)
    for number in range(1, plan.epochs + 1):
        start = time.monotonic()
        order = draw.permutation(whole)[:count]
        sums = _Sums()
        for at in range(0, count, plan.batch):
            chosen = rows[np.sort(order[at : at + plan.batch])]
            optimizer.step(network.parameters, _gradients(network, chosen, draw, sums))
        trained = time.monotonic()
        validation = evaluate(network, held, plan.batch) if held is not None else None
        seconds = (trained - start, time.monotonic() - trained)
        yield Epoch(number, count, -(-count // plan.batch), sums.means(), validation, seconds)


def evaluate(network: Network, rows: Any, batch: int) -> Measured:
    """The losses of documents that are not learned from."""
    draw, sums = np.random.default_rng(EVALUATION), _Sums()
    step = min(batch, _at_once(network))
    for at in range(0, rows.shape[0], step):
        chosen = rows[at : at + step]
        losses, passed = network.forward(chosen, _noise(network, chosen.shape[0], draw), training=False)
        sums.add(losses, passed.per_word)
    return sums.means()


def _gradients(network: Network, rows: Any, draw: np.random.Generator, sums: _Sums) -> dict[str, NDArray[Any]]:
    """Of a batch, some documents at a time: they add up, but for a batch that is normalized as one."""
    count = rows.shape[0]
    step = count if network.shape.batch_norm else _at_once(network)
    whole: dict[str, NDArray[Any]] = {}
    for at in range(0, count, step):
        part = rows[at : at + step]
        losses, passed = network.forward(part, _noise(network, part.shape[0], draw))
        sums.add(losses, passed.per_word)
        found = network.backward(passed)
        whole = {name: whole[name] + value for name, value in found.items()} if whole else found
    return whole


def _at_once(network: Network) -> int:
    return max(CELLS // network.shape.words, 1)


def _noise(network: Network, count: int, draw: np.random.Generator) -> NDArray[np.float32]:
    return draw.standard_normal((count, network.shape.topics), np.float32)


@dataclass
class _Sums:
    kld: float = 0.0
    recons: float = 0.0
    documents: int = 0

    def add(self, losses: Losses, per_word: NDArray[Any]) -> None:
        self.kld += float(losses.kld.sum())
        self.recons += float(losses.recons.sum())
        self.documents += int((per_word > 0).sum())

    def means(self) -> Measured:
        return Measured(self.kld / max(self.documents, 1), self.recons / max(self.documents, 1))


@dataclass
class Patience:
    """An epoch is bad when its loss is not below the least of the `epochs` before it by `tolerance` of that; as many
    bad ones in a row end the training."""

    epochs: int
    tolerance: float
    bad: int = 0
    window: list[float] = field(default_factory=list)

    @property
    def least(self) -> float:
        return min(self.window, default=float("inf"))

    @property
    def is_over(self) -> bool:
        return self.bad >= self.epochs

    def take(self, loss: float) -> None:
        least = self.least
        improved = least == float("inf") or loss < least * (1 - self.tolerance)
        self.bad = 0 if improved else self.bad + 1
        self.window = [*self.window, loss][-self.epochs :]
