"""MobileNetV2 (Sandler et al., CVPR 2018). Values are named as torchvision names them, so that its files fit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, blocks and stride: table 2 of the paper."""
FIRST, LAST = 32, 1280
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of ImageNet's pictures, by which inputs are normalized."""


def divisible(channels: float) -> int:
    """The nearest multiple of 8 that is not more than a tenth below."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found


class Active(nn.Sequential):
    """A convolution, batch normalization, and what is positive of it up to 6."""

    def __init__(self, before: int, after: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> None:
        convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(after), nn.ReLU6())


class Block(nn.Module):
    """An inverted residual: wider, filtered channel by channel, narrow again."""

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        parts: list[nn.Module] = [Active(before, wide, 1)] if expansion > 1 else []
        parts += [Active(wide, wide, 3, stride, wide), nn.Conv2d(wide, after, 1, bias=False), nn.BatchNorm2d(after)]
        self.conv = nn.Sequential(*parts)
        self.added = stride == 1 and before == after

    def forward(self, below: Tensor) -> Tensor:
        found: Tensor = self.conv(below)
        return below + found if self.added else found


def layers(width: float) -> tuple[nn.Sequential, int]:
    """All but the classification, and the channels that they give, a thirty-second of the picture wide."""
    before = divisible(FIRST * width)
    found: list[nn.Module] = [Active(3, before, 3, 2)]
    for expansion, channels, count, stride in STAGES:
        after = divisible(channels * width)
        for number in range(count):
            found.append(Block(before, after, 1 if number else stride, expansion))
            before = after
    last = divisible(LAST * max(1.0, width))
    return nn.Sequential(*found, Active(before, last, 1)), last


def begin(network: nn.Module) -> None:
    """Values by chance. What a block adds begins at nothing: fewer pictures teach it (Goyal et al., 2017, 5.1)."""
    for module in network.modules():
        if isinstance(module, Block) and module.added:
            nn.init.zeros_(module.conv[-1].weight)
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


class MobileNet(nn.Module):
    """Scores (n, outputs) of normalized pixels (n, 3, height, width)."""

    TOP = ("classifier.",)

    def __init__(self, width: float, outputs: int, dropout: float) -> None:
        super().__init__()
        self.features, last = layers(width)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, outputs))
        begin(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.classifier(self.features(pixels).mean(dim=(2, 3)))
        return found
