"""Epochs of training. Imports PyTorch: to be imported when it is needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as compute
from torch import Tensor

from algorithms.image_classification.examples import Examples
from algorithms.vision import augmenting, learning, pictures, settings, stopping
from algorithms.vision.network import Network

SEED = 1
SHOWN = 20
"""Batches between two lines of the log."""
Say = Callable[[str], None]


@dataclass
class Scores:
    """Accuracy, and that of the first `top_k`, over the pictures that were added."""

    top_k: int | None
    several: bool
    seen: int = 0
    right: float = 0.0
    among: float = 0.0

    def add(self, scores: Tensor, targets: Tensor) -> None:
        """With several labels a picture is as right as the part of its labels that are."""
        self.seen += len(targets)
        if self.several:
            self.right += float(((scores > 0) == (targets > 0.5)).float().mean(dim=1).sum())
        else:
            self.right += int((scores.argmax(dim=1) == targets).sum())
        if self.top_k:
            first = scores.topk(self.top_k, dim=1).indices
            hit = targets.gather(1, first) > 0.5 if self.several else first == targets[:, None]
            self.among += int(hit.any(dim=1).sum())

    def told(self) -> dict[str, float]:
        """By the names of MXNet's metrics."""
        found = {"accuracy": self.right / max(self.seen, 1)}
        return found | ({f"top_k_accuracy_{self.top_k}": self.among / max(self.seen, 1)} if self.top_k else {})


@dataclass(frozen=True)
class Epoch:
    """What one was like; `number` counts from 0."""

    number: int
    train: Mapping[str, float]
    validation: Mapping[str, float] | None
    seconds: float

    @property
    def watched(self) -> float:
        """The accuracy by which models are compared: of the validation pictures when there are some."""
        return (self.validation or self.train)["accuracy"]


@dataclass
class Fitting:
    """The training of a network on examples, watched on others when there are some."""

    network: Network
    values: Mapping[str, Any]
    train: Examples
    held: Examples | None
    say: Say
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        self.optimizer = learning.optimizer(self.network.learned(), self.values)

    def epochs(self, first: int) -> Iterator[Epoch]:
        """From `first` on (0 without any behind it)."""
        _, *size = settings.sizes(self.values["image_shape"])
        learning.suit_threads(*size)
        loss = self._loss()
        steps = settings.epochs(self.values.get("lr_scheduler_step") or "")
        for number in range(first, self.values["epochs"]):
            start = time.monotonic()
            rate = stopping.rate(self.values["learning_rate"], self.values["lr_scheduler_factor"], steps, number)
            seen = self._scores()
            for batch, (pixels, targets) in enumerate(self._batches(number), 1):
                scores = self.network.scores(pixels, training=True)
                lost = loss(scores, targets)
                learning.demand_finite(lost, number, self.values["learning_rate"])
                learning.step(self.optimizer, lost, rate)
                seen.add(scores.detach(), targets)
                if batch % SHOWN == 0:
                    speed = seen.seen / max(time.monotonic() - start, 1e-9)
                    self.say(f"Epoch[{number}] Batch [{batch}]\tSpeed: {speed:.2f} samples/sec\t{_shown(seen.told())}")
            spent = time.monotonic() - start
            yield Epoch(number, seen.told(), self.evaluate(self.held) if self.held else None, spent)

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Of the middle of each picture."""
        seen, step = self._scores(), self.values["mini_batch_size"]
        with torch.inference_mode():
            for at in range(0, len(examples), step):
                chosen = np.arange(at, min(at + step, len(examples)))
                seen.add(self.network.scores(self._pixels(examples, chosen, None)), _targets(examples, chosen))
        return seen.told()

    def _scores(self) -> Scores:
        return Scores(self.values.get("top_k"), self.values["multi_label"])

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        draw, step = np.random.default_rng((SEED, epoch)), self.values["mini_batch_size"]
        order = draw.permutation(len(self.train))
        for at in range(0, len(order), step):
            chosen = order[at : at + step]
            yield self._pixels(self.train, chosen, draw), _targets(self.train, chosen)

    def _pixels(self, examples: Examples, chosen: Any, draw: np.random.Generator | None) -> Tensor:
        _, *size = settings.sizes(self.values["image_shape"])
        kind = self.values.get("augmentation_type")
        parts = []
        for number in chosen:
            whole = examples.gallery.pixels(int(number))
            parts.append(
                augmenting.changed(whole, (size[0], size[1]), kind, draw)
                if draw and kind
                else pictures.centre(whole, *size)
            )
        return torch.from_numpy(np.stack(parts).transpose(0, 3, 1, 2).astype(np.float32))

    def _loss(self) -> Callable[[Tensor, Tensor], Tensor]:
        if not self.values["multi_label"]:
            return compute.cross_entropy
        if not self.values["use_weighted_loss"]:
            return compute.binary_cross_entropy_with_logits
        # A class that all pictures show, or none, gets the weight that one picture less, or more, would give it.
        count = len(self.train)
        shown = torch.from_numpy(self.train.targets).sum(dim=0).clamp(0.5, count - 0.5)
        weights = (count - shown) / shown
        return lambda scores, targets: compute.binary_cross_entropy_with_logits(scores, targets, pos_weight=weights)


def _targets(examples: Examples, chosen: Any) -> Tensor:
    return torch.from_numpy(examples.targets[chosen])


def _shown(told: Mapping[str, float]) -> str:
    return "\t".join(f"{name}={value:.6f}" for name, value in told.items())
