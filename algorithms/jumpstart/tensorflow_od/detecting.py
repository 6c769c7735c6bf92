"""The training of a network that finds objects, with the losses of TensorFlow's Model Garden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import detector
import numpy as np
import torch
import torch.nn.functional as compute
from networks import boxes
from networks.training import Training
from torch import Tensor

ALPHA, GAMMA = 0.25, 2.0
"""Of the focal loss (Lin et al., ICCV 2017)."""
PARTS = ("loss", "localization", "classification")


class Detecting(Training):
    """Of `annotations.Examples`."""

    def start(self, side: int) -> Detecting:
        """With the boxes of pictures of that size."""
        self._start = detector.starts(side)
        return self

    def lost(self, examples: Any, numbers: Sequence[int], learning: bool) -> tuple[Tensor, Any]:
        wanted = [boxes.targets(self._start, examples.objects[number]) for number in numbers]
        kinds, places = (torch.from_numpy(np.stack(part)) for part in zip(*wanted, strict=True))
        scores, moves = self.network(*examples.inputs(numbers, learning))
        has = kinds > 0
        count = has.sum().clamp_min(1)
        # By the four numbers of a place, as the Model Garden's `normalize_loc_loss_by_codesize` has it.
        localization = compute.smooth_l1_loss(moves[has], places[has], reduction="sum") / (4 * count)
        classification = focal(scores, kinds) / count
        loss = localization + classification
        return loss, (len(numbers), *(float(one.detach()) for one in (loss, localization, classification)))

    def measured(self, told: list[Any]) -> dict[str, float]:
        counts, *losses = zip(*told, strict=True)
        return {name: float(np.average(one, weights=counts)) for name, one in zip(PARTS, losses, strict=True)}

    def watched(self, found: Mapping[str, float]) -> float:
        return -found["val_loss"]

    def say(self, steps: int, seconds: float, found: Mapping[str, float]) -> None:
        """`loss=` is there once: it is a metric of Amazon's notebook by itself."""
        told = ", ".join(f"Val_{name}={found[f'val_{name}']:.4f}" for name in PARTS[1:])
        print(f"{steps}/{steps} - {seconds:.0f}s - loss={found['loss']:.4f}, {told}", flush=True)


def focal(scores: Tensor, kinds: Tensor) -> Tensor:
    """The sum over all boxes and classes of scores (n, boxes, classes); `kinds` (n, boxes) are 0 for nothing, else
    the class from 1."""
    wanted = compute.one_hot(kinds, scores.shape[2] + 1)[:, :, 1:].to(scores.dtype)
    each = compute.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    missed = (scores.sigmoid() - wanted).abs()
    weight = torch.where(wanted > 0, ALPHA, 1 - ALPHA)
    return (weight * missed**GAMMA * each).sum()
