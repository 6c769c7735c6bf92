"""Networks for segmentation. Imports PyTorch: to be imported when it is needed.

FCN (Long et al., CVPR 2015), PSP (Zhao et al., CVPR 2017) and DeepLabV3 (Chen et al., arxiv.org/abs/1706.05587) on a
dilated residual network, as GluonCV puts them together: an answer for each square of 8 pixels, made larger bilinearly,
and in training a second answer from the stage before the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as compute
from torch import Tensor, nn

from algorithms.semantic_segmentation.hyperparameters import DEEPLAB, FCN, PSP
from algorithms.vision.residual import Named, Unit, active

MEAN, SPREAD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of the pixels of ImageNet, which GluonCV subtracts and divides by."""
BINS = (1, 2, 3, 6)
RATES = (12, 24, 36)


class Depth(NamedTuple):
    """Units of four stages, the channels of the first, and whether units squeeze them."""

    units: tuple[int, ...]
    width: int
    squeezed: bool


LIGHT = "light"
BACKBONES: Mapping[str, Depth] = {
    "resnet-50": Depth((3, 4, 6, 3), 64, True),
    "resnet-101": Depth((3, 4, 23, 3), 64, True),
    LIGHT: Depth((1, 1, 1, 1), 16, False),
}


class Backbone(nn.Module):
    """What the last two stages give, an eighth of the picture wide: the last two are dilated and not made smaller."""

    def __init__(self, depth: Depth) -> None:
        super().__init__()
        width = depth.width
        stem = (active(3, width // 2 if depth.squeezed else width, 3, 2),)
        if depth.squeezed:
            stem = (*stem, active(width // 2, width // 2), active(width // 2, width * 2))
        self.stem = nn.Sequential(*stem, nn.MaxPool2d(3, 2, 1))
        before, stages = width * 2 if depth.squeezed else width, []
        for number, (units, stride, spread) in enumerate(zip(depth.units, (1, 2, 1, 1), (1, 1, 2, 4), strict=True)):
            made = []
            for unit in range(units):
                made.append(Unit(before, width << number, 1 if unit else stride, spread, depth.squeezed))
                before = (width << number) * (4 if depth.squeezed else 1)
            stages.append(nn.Sequential(*made))
        self.stages = nn.ModuleList(stages)
        self.widths = (before // 2, before)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        below = self.stem(pixels)
        for stage in self.stages[:3]:
            below = stage(below)
        return below, self.stages[3](below)


class Pyramid(nn.Module):
    """Beside what it is given, the means of parts of it, large ones and small ones."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList([active(before, before // 4, 1) for _ in BINS])

    def forward(self, below: Tensor) -> Tensor:
        found = [below]
        for bins, part in zip(BINS, self.parts, strict=True):
            found.append(_enlarged(part(compute.adaptive_avg_pool2d(below, bins)), below.shape[2:]))
        return torch.cat(found, dim=1)


class Atrous(nn.Module):
    """The same picture seen through filters of several widths."""

    def __init__(self, before: int) -> None:
        super().__init__()
        after = before // 8
        self.seen = nn.ModuleList([active(before, after, 1), *(active(before, after, 3, 1, rate) for rate in RATES)])
        self.whole = active(before, after, 1)
        self.joined = nn.Sequential(active(5 * after, after, 1), nn.Dropout(0.5))

    def forward(self, below: Tensor) -> Tensor:
        whole = self.whole(compute.adaptive_avg_pool2d(below, 1)).expand(-1, -1, *below.shape[2:])
        return self.joined(torch.cat([*(one(below) for one in self.seen), whole], dim=1))


def _head(before: int, classes: int, inside: int = 0) -> nn.Sequential:
    inside = inside or before // 4
    return nn.Sequential(active(before, inside), nn.Dropout(0.1), nn.Conv2d(inside, classes, 1))


def _enlarged(found: Tensor, size: Sequence[int]) -> Tensor:
    return compute.interpolate(found, size=tuple(size), mode="bilinear", align_corners=True)


class Segmenter(Named):
    """Scores (n, classes, height, width) of normalized pixels, those of the stage before the last beside them."""

    def __init__(self, algorithm: str, backbone: str, classes: int) -> None:
        super().__init__()
        self.backbone = Backbone(BACKBONES[backbone])
        third, fourth = self.backbone.widths
        heads = {
            FCN: lambda: _head(fourth, classes),
            PSP: lambda: nn.Sequential(Pyramid(fourth), _head(2 * fourth, classes, fourth // 4)),
            DEEPLAB: lambda: nn.Sequential(Atrous(fourth), _head(fourth // 8, classes, fourth // 8)),
        }
        self.head = heads[algorithm]()
        self.auxiliary = _head(third, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        size = pixels.shape[2:]
        third, fourth = self.backbone(pixels)
        return _enlarged(self.head(fourth), size), _enlarged(self.auxiliary(third), size)


def normalized(pixels: Tensor) -> Tensor:
    """Of bytes (n, height, width, 3)."""
    found = (pixels.to(torch.float32) - torch.tensor(MEAN)) / torch.tensor(SPREAD)
    return found.permute(0, 3, 1, 2)
