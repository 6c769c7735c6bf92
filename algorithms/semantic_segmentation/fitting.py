"""Epochs of training. Imports PyTorch: to be imported when it is needed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as compute
from torch import Tensor

from algorithms.semantic_segmentation import changing
from algorithms.semantic_segmentation.examples import IGNORED, Examples
from algorithms.semantic_segmentation.hyperparameters import COSINE, POLY
from algorithms.semantic_segmentation.network import Segmenter, normalized
from algorithms.vision import learning, settings, stopping

SEED = 1
AUXILIARY, POWER = 0.5, 0.9
"""The weight of the second answer's loss, and the power of the rate `poly`: GluonCV's."""


class Overlap:
    """How masks agree over all pixels that count."""

    def __init__(self, classes: int) -> None:
        self._seen = np.zeros((classes, classes), np.int64)

    def add(self, found: Any, wanted: Any) -> None:
        counted = wanted != IGNORED
        classes = len(self._seen)
        pairs = wanted[counted].astype(np.int64) * classes + found[counted]
        self._seen += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    @property
    def accuracy(self) -> float:
        """The part of the pixels that are right."""
        return float(np.trace(self._seen) / max(self._seen.sum(), 1))

    @property
    def mean(self) -> float:
        """The mean over the classes of what is common to both masks, by what either has of the class."""
        common = np.diag(self._seen)
        either = self._seen.sum(axis=0) + self._seen.sum(axis=1) - common
        return float((common[either > 0] / either[either > 0]).mean()) if either.any() else 0.0


@dataclass(frozen=True)
class Epoch:
    """What one was like; `number` counts from 0, `seconds` are of training."""

    number: int
    loss: float
    validation: Overlap | None
    seconds: float

    @property
    def watched(self) -> float:
        """By what models are compared: mIOU of the validation pictures, without any the loss."""
        return self.validation.mean if self.validation else -self.loss


@dataclass
class Fitting:
    """The training of a network on examples, watched on others when there are some."""

    network: Segmenter
    values: Mapping[str, Any]
    train: Examples
    held: Examples | None
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        self.optimizer = self._optimizer()

    def epochs(self, first: int) -> Iterator[Epoch]:
        """From `first` on (0 without any behind it)."""
        batches = -(-len(self.train) // self.values["mini_batch_size"])
        for number in range(first, self.values["epochs"]):
            torch.manual_seed(SEED + number)  # Of what is dropped: the same when a job goes on.
            start, lost = time.monotonic(), 0.0
            self.network.train()
            for batch, (pixels, masks) in enumerate(self._batches(number)):
                rate = self._rate(number * batches + batch, batches)
                loss = self._loss(pixels, masks)
                learning.demand_finite(loss, number, self.values["learning_rate"])
                learning.step(self.optimizer, loss, rate)
                lost += float(loss.detach())
            spent = time.monotonic() - start
            yield Epoch(number, lost / batches, self.evaluate(self.held) if self.held else None, spent)

    def evaluate(self, examples: Examples) -> Overlap:
        found, step = Overlap(self.values["num_classes"]), self.values["validation_mini_batch_size"]
        self.network.eval()
        with torch.inference_mode():
            for at in range(0, len(examples), step):
                pairs = [
                    changing.middle((examples.pixels(n), examples.masks[n]), self.values["crop_size"])
                    for n in range(at, min(at + step, len(examples)))
                ]
                pixels, masks = _stacked(pairs)
                found.add(self.network(pixels)[0].argmax(dim=1).numpy(), masks.numpy())
        return found

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        draw, step = np.random.default_rng((SEED, epoch)), self.values["mini_batch_size"]
        order = draw.permutation(len(self.train))
        base, crop = self.values["base_size"], self.values["crop_size"]
        for at in range(0, len(order), step):
            chosen = order[at : at + step]
            yield _stacked(
                [changing.drawn((self.train.pixels(n), self.train.masks[n]), base, crop, draw) for n in chosen]
            )

    def _loss(self, pixels: Tensor, masks: Tensor) -> Tensor:
        if bool((masks == IGNORED).all()):
            return sum(scores.sum() * 0 for scores in self.network(pixels))  # Nothing to learn from in this batch.
        last, third = (compute.cross_entropy(scores, masks, ignore_index=IGNORED) for scores in self.network(pixels))
        return last + AUXILIARY * third

    def _rate(self, step: int, batches: int) -> float:
        values, done = self.values, step / (batches * self.values["epochs"])
        first = values["learning_rate"]
        if values["lr_scheduler"] == POLY:
            return first * (1 - done) ** POWER
        if values["lr_scheduler"] == COSINE:
            return first * (1 + math.cos(math.pi * done)) / 2
        steps = settings.epochs(values["lr_scheduler_step"])
        return stopping.rate(first, values["lr_scheduler_factor"], steps, step // batches)

    def _optimizer(self) -> torch.optim.Optimizer:
        values, name = self.values, self.values["optimizer"]
        given = {"lr": values["learning_rate"], "weight_decay": values["weight_decay"]}
        parameters = list(self.network.parameters())
        if name == "adam":
            return torch.optim.Adam(parameters, **given)
        if name == "adagrad":
            return torch.optim.Adagrad(parameters, **given)
        if name == "rmsprop":
            return torch.optim.RMSprop(parameters, alpha=values["gamma1"], momentum=values["gamma2"], **given)
        return torch.optim.SGD(parameters, momentum=values["momentum"], nesterov=name == "nag", **given)


def _stacked(pairs: list[Any]) -> tuple[Tensor, Tensor]:
    pixels = torch.from_numpy(np.stack([pixels for pixels, _ in pairs]))
    return normalized(pixels), torch.from_numpy(np.stack([mask for _, mask in pairs]).astype(np.int64))
