"""Epochs of training. Imports PyTorch: to be imported when it is needed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as compute
from torch import Tensor

from algorithms.common.faults import UserError
from algorithms.object_detection import anchors, changing
from algorithms.object_detection.examples import Examples
from algorithms.object_detection.network import Detector, normalized
from algorithms.object_detection.precision import Precision
from algorithms.vision import boxes, learning, settings, stopping

SEED = 1
NEGATIVES = 3
"""Boxes without an object that are learned from, for each that has one: those that are told worst."""


@dataclass(frozen=True)
class Losses:
    """Of a batch: of classes by box that is learned from, of places by box that has an object."""

    cross_entropy: float
    smooth_l1: float


@dataclass(frozen=True)
class Epoch:
    """What one was like; `number` counts from 0, `seconds` are of training."""

    number: int
    loss: float
    validation: float | None
    seconds: float

    @property
    def watched(self) -> float:
        """By what models are compared: mAP of the validation pictures, without any the loss."""
        return -self.loss if self.validation is None else self.validation


@dataclass
class Fitting:
    """The training of a network on examples, watched on others when there are some; `say` is told of each batch."""

    network: Detector
    values: Mapping[str, Any]
    data: tuple[Examples, Examples | None]
    say: Callable[[int, int, Losses], None]
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        self.optimizer = self._optimizer()

    def epochs(self, first: int) -> Iterator[Epoch]:
        """From `first` on (0 without any behind it)."""
        train, held = self.data
        self._start = anchors.boxes(self.network.sizes(self.values["image_shape"]))
        steps = settings.epochs(self.values.get("lr_scheduler_step") or "")
        for number in range(first, self.values["epochs"]):
            start, lost = time.monotonic(), []
            self.network.train()
            rate = stopping.rate(self.values["learning_rate"], self.values["lr_scheduler_factor"], steps, number)
            for batch, given in enumerate(self._batches(train, number)):
                loss, told = self._loss(*given)
                learning.demand_finite(loss, number, self.values["learning_rate"])
                learning.step(self.optimizer, loss, rate)
                self.say(number, batch, told)
                lost.append(told.cross_entropy + told.smooth_l1)
            spent = time.monotonic() - start
            yield Epoch(number, float(np.mean(lost)), self.evaluate(held) if held else None, spent)

    def evaluate(self, examples: Examples) -> float:
        found, step = Precision(self.values["overlap_threshold"]), self.values["mini_batch_size"]
        self.network.eval()
        with torch.inference_mode():
            for at in range(0, len(examples), step):
                chosen = range(at, min(at + step, len(examples)))
                pixels = np.stack([examples.gallery.pixels(number) for number in chosen])
                scores, moves = self.network(normalized(torch.from_numpy(pixels)))
                for row, number in enumerate(chosen):
                    chances = scores[row].softmax(dim=1).numpy()
                    rows = boxes.detected(self._start, chances, moves[row].numpy(), self.values["nms_threshold"])
                    found.add(rows, examples.objects[number])
        return found.mean

    def _batches(self, examples: Examples, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        draw, step = np.random.default_rng((SEED, epoch)), self.values["mini_batch_size"]
        order = draw.permutation(len(examples))
        for at in range(0, len(order), step):
            pairs = [
                changing.changed(examples.gallery.pixels(int(n)), examples.objects[n], draw)
                for n in order[at : at + step]
            ]
            wanted = [boxes.targets(self._start, objects) for _, objects in pairs]
            pixels = torch.from_numpy(np.stack([one for one, _ in pairs]))
            kinds, moves = (torch.from_numpy(np.stack(part)) for part in zip(*wanted, strict=True))
            yield normalized(pixels), kinds, moves

    def _loss(self, pixels: Tensor, kinds: Tensor, wanted: Tensor) -> tuple[Tensor, Losses]:
        scores, moves = self.network(pixels)
        each = compute.cross_entropy(scores.flatten(0, 1), kinds.flatten(), reduction="none").view_as(kinds)
        has = kinds > 0
        hardest = each.detach().masked_fill(has, -1).argsort(dim=1, descending=True).argsort(dim=1)
        most = (NEGATIVES * has.sum(dim=1, keepdim=True)).clamp_min(NEGATIVES)
        learned = has | (hardest < most)
        count = has.sum().clamp_min(1)
        kind_loss = each[learned].sum()
        place_loss = compute.smooth_l1_loss(moves[has], wanted[has], reduction="sum")
        told = Losses(float(kind_loss.detach() / learned.sum()), float(place_loss.detach() / count))
        return (kind_loss + place_loss) / count, told

    def _optimizer(self) -> torch.optim.Optimizer:
        values, frozen = self.values, re.compile(self.values.get("freeze_layer_pattern") or "(?!)")
        learned = []
        for name, value in self.network.named_parameters():
            value.requires_grad_(not frozen.match(known(name)))
            if value.requires_grad:
                learned.append(value)
        if not learned:
            raise UserError(f"freeze_layer_pattern '{frozen.pattern}' leaves nothing to train.")
        given = {"lr": values["learning_rate"], "weight_decay": values["weight_decay"]}
        kinds = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop, "adadelta": torch.optim.Adadelta}
        if values["optimizer"] in kinds:
            return kinds[values["optimizer"]](learned, **given)
        return torch.optim.SGD(learned, momentum=values["momentum"], **given)


def known(name: str) -> str:
    """The name of an array as freeze_layer_pattern knows it: `conv1_1_weight`, as MXNet has VGG's."""
    return name.removeprefix("base.").removeprefix("layers.").replace(".", "_")
