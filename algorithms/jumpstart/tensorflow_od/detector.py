"""SSD on a MobileNetV2 with the feature pyramid FPNLite, as TensorFlow's Model Garden has it.

Layers, boxes and the chance that each begins with are those of `ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8.config`
(tensorflow/models, object_detection): Liu et al., ECCV 2016; Lin et al., CVPR 2017 and ICCV 2017. The values of the
first layers are named as torchvision names those of its MobileNetV2, so that its files fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as compute
from networks import mobilenet
from torch import Tensor, nn

TAPS = {6: 3, 13: 4, 18: 5}
"""Layers of MobileNetV2 that the pyramid stands on, and their levels: level n is 1 / 2^n of the picture wide."""
HIGHEST, TOWER = 7, 4
"""The last level, and layers in front of the predictions."""
SIZE, OCTAVES, RATIOS = 4.0, 2, (1.0, 2.0, 0.5)
"""Of boxes: the smaller side in places of their level, how many sizes from one level to the next, and forms."""
FORMS = OCTAVES * len(RATIOS)
BEGIN = -4.6
"""Of the scores of classes: a chance of 1 in 100, for most boxes have no object (Lin et al., ICCV 2017, 4.1)."""


def levels(side: int) -> list[int]:
    """Those of more than one place: in one alone nothing can be normalized."""
    return [level for level in range(min(TAPS.values()), HIGHEST + 1) if side > 1 << level]


def starts(side: int) -> Any:
    """The boxes (n, 4) that the network starts from, in the order of its predictions."""
    return np.concatenate([_of_level(side, level) for level in levels(side)]).astype(np.float32)


def _of_level(side: int, level: int) -> Any:
    places = -(-side // (1 << level))
    sizes = [SIZE * (1 << level) / side * 2 ** (octave / OCTAVES) for octave in range(OCTAVES)]
    half = np.array([(size * math.sqrt(ratio), size / math.sqrt(ratio)) for size in sizes for ratio in RATIOS]) / 2
    middle = (np.arange(places) + 0.5) / places
    down, right = np.meshgrid(middle, middle, indexing="ij")
    here = np.stack([right, down], axis=-1)[:, :, None]
    return np.concatenate([here - half, here + half], axis=-1).reshape(-1, 4)


class Separable(nn.Sequential):
    """A convolution of each channel by itself, and one of all channels of a place."""

    def __init__(self, before: int, after: int, stride: int = 1, bias: bool = False) -> None:
        alone = nn.Conv2d(before, before, 3, stride, 1, groups=before, bias=False)
        super().__init__(alone, nn.Conv2d(before, after, 1, bias=bias))


def _active(width: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(width), nn.ReLU6())


class Detector(nn.Module):
    """Scores (n, boxes, classes) and moves (n, boxes, 4) of normalized pixels (n, 3, side, side)."""

    TOP = ("kinds.",)
    NEW = ("laterals.", "smoothing.", "coarser.", "tower.", "norms.", "kinds.", "moves.")
    """What a network that classifies has not."""

    def __init__(self, form: Mapping[str, Any], classes: int) -> None:
        super().__init__()
        self.features, last = mobilenet.layers(form["width"])
        below, depth = [mobilenet.divisible(channels * form["width"]) for channels in (32, 96)], form["depth"]
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, depth, 1, bias=False), nn.BatchNorm2d(depth)) for width in (*below, last)
        )
        self.smoothing = nn.ModuleList(nn.Sequential(Separable(depth, depth), _active(depth)) for _ in below)
        count = len(levels(form["side"]))
        self.coarser = nn.ModuleList(
            nn.Sequential(Separable(depth, depth, 2), _active(depth)) for _ in range(count - len(TAPS))
        )
        self.tower = nn.ModuleList(Separable(depth, depth) for _ in range(TOWER))
        self.norms = nn.ModuleList(nn.ModuleList(_active(depth) for _ in range(TOWER)) for _ in range(count))
        self.kinds, self.moves = Separable(depth, FORMS * classes, bias=True), Separable(depth, FORMS * 4, bias=True)
        self._classes = classes
        mobilenet.begin(self)
        for head in (self.kinds, self.moves):
            nn.init.normal_(head[-1].weight, 0, 0.01)
        nn.init.constant_(self.kinds[-1].bias, BEGIN)
        self.to(memory_format=torch.channels_last)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        kinds, moves = [], []
        for below, norms in zip(self._pyramid(pixels), self.norms, strict=True):
            for layer, norm in zip(self.tower, norms, strict=True):
                below = norm(layer(below))
            kinds.append(_by_box(self.kinds(below), self._classes))
            moves.append(_by_box(self.moves(below), 4))
        return torch.cat(kinds, dim=1), torch.cat(moves, dim=1)

    def _pyramid(self, pixels: Tensor) -> list[Tensor]:
        """A layer a level, the finest first."""
        taps, below = [], pixels
        for number, layer in enumerate(self.features):
            below = layer(below)
            if number in TAPS:
                taps.append(below)
        above = self.laterals[-1](taps[-1])
        found = [above]
        for tap, lateral, smoothing in zip(taps[-2::-1], self.laterals[-2::-1], self.smoothing[::-1], strict=True):
            above = lateral(tap) + compute.interpolate(above, size=tap.shape[2:])
            found.insert(0, smoothing(above))
        for one in self.coarser:
            found.append(one(found[-1]))
        return found


def _by_box(found: Tensor, width: int) -> Tensor:
    return found.permute(0, 2, 3, 1).reshape(len(found), -1, width)
