"""SSD in PyTorch: to be imported when it is needed. Layers and VGG's names are those of MXNet's `example/ssd`."""

from __future__ import annotations

import torch
import torch.nn.functional as compute
from torch import Tensor, nn

from algorithms.object_detection.anchors import COUNTS
from algorithms.vision.residual import Named, Norm, Unit, active

LIGHT, VGG, RESNET = "light", "vgg-16", "resnet-50"
MEAN = (123.0, 117.0, 104.0)
SCALE = 20.0
FURTHER = {
    VGG: ((512, 2), (256, 2), (256, 1), (256, 1)),
    RESNET: ((512, 2), (256, 2), (256, 2), (128, 2)),
    LIGHT: ((512, 2), (256, 2), (256, 2), (128, 2)),
}
"""Channels and strides of the layers behind those of the base."""
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class Reduced(nn.Module):
    """VGG-16 (Simonyan, Zisserman, ICLR 2015) with its last layers as convolutions; gives relu4_3 and relu7."""

    widths = (512, 1024)

    def __init__(self) -> None:
        super().__init__()
        layers, before = {}, 3
        for block, widths in enumerate(BLOCKS, 1):
            for number, width in enumerate(widths, 1):
                layers[f"conv{block}_{number}"] = nn.Conv2d(before, width, 3, padding=1)
                before = width
        layers["fc6"], layers["fc7"] = nn.Conv2d(512, 1024, 3, padding=6, dilation=6), nn.Conv2d(1024, 1024, 1)
        self.layers = nn.ModuleDict(layers)
        self.relu4_3_scale = nn.Parameter(torch.full((1, 512, 1, 1), SCALE))

    def forward(self, below: Tensor) -> tuple[Tensor, Tensor]:
        first = below
        for block, widths in enumerate(BLOCKS, 1):
            for number in range(1, len(widths) + 1):
                below = torch.relu(self.layers[f"conv{block}_{number}"](below))
            if block == 4:
                first = compute.normalize(below, dim=1) * self.relu4_3_scale
            last = block == len(BLOCKS)
            below = compute.max_pool2d(below, 3, 1, 1) if last else compute.max_pool2d(below, 2, 2, ceil_mode=True)
        below = torch.relu(self.layers["fc6"](below))
        return first, torch.relu(self.layers["fc7"](below))


class Residual(nn.Module):
    """A residual network; gives what its last two stages do, a sixteenth and a thirty-second of the picture wide."""

    def __init__(self, units: tuple[int, ...], width: int, squeezed: bool) -> None:
        super().__init__()
        self.stem = nn.Sequential(*active(3, width, 7, 2), nn.MaxPool2d(3, 2, 1))
        before, stages = width, []
        for stage, count in enumerate(units):
            made = []
            for unit in range(count):
                made.append(Unit(before, width << stage, 2 if stage and not unit else 1, 1, squeezed))
                before = (width << stage) * (4 if squeezed else 1)
            stages.append(nn.Sequential(*made))
        self.stages = nn.ModuleList(stages)
        self.widths = (before // 2, before)

    def forward(self, below: Tensor) -> tuple[Tensor, Tensor]:
        below = self.stem(below)
        for stage in self.stages[:3]:
            below = stage(below)
        return below, self.stages[3](below)


def _smaller(before: int, width: int, stride: int, least: int) -> nn.Sequential:
    """A layer of fewer places: of half as many, or where that leaves too few without those at the border."""
    inside = max(width // 2, least)
    convolution = nn.Conv2d(inside, width, 3, stride, 1 if stride > 1 else 0, bias=False)
    return nn.Sequential(*active(before, inside, 1), convolution, Norm(width), nn.ReLU())


class Detector(Named):
    """Scores (n, boxes, 1 + classes) and moves (n, boxes, 4) of normalized pixels."""

    def __init__(self, base: str, classes: int) -> None:
        super().__init__()
        made = {
            VGG: Reduced,
            RESNET: lambda: Residual((3, 4, 6, 3), 64, True),
            LIGHT: lambda: Residual((1, 1, 1, 1), 16, False),
        }
        self.base = made[base]()
        smaller = 4 if base == LIGHT else 1
        further = [(width // smaller, stride) for width, stride in FURTHER[base]]
        widths = [*self.base.widths, *(width for width, _ in further)]
        self.further = nn.ModuleList(
            _smaller(before, width, stride, 128 // smaller)
            for before, (width, stride) in zip(widths[1:], further, strict=False)
        )
        pairs = list(zip(widths, COUNTS, strict=True))
        self.kinds = nn.ModuleList(nn.Conv2d(width, count * (1 + classes), 3, padding=1) for width, count in pairs)
        self.moves = nn.ModuleList(nn.Conv2d(width, count * 4, 3, padding=1) for width, count in pairs)
        self._classes = classes
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for head in (*self.kinds, *self.moves):
            nn.init.xavier_uniform_(head.weight)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        layers = self._layers(pixels)
        count = len(pixels)
        kinds = [head(one).permute(0, 2, 3, 1).reshape(count, -1, 1 + self._classes)
                 for head, one in zip(self.kinds, layers, strict=True)]  # fmt: skip
        moves = [
            head(one).permute(0, 2, 3, 1).reshape(count, -1, 4) for head, one in zip(self.moves, layers, strict=True)
        ]
        return torch.cat(kinds, dim=1), torch.cat(moves, dim=1)

    def sizes(self, side: int) -> list[tuple[int, int]]:
        """Rows and columns of the layers that boxes start from."""
        training = self.training
        with torch.inference_mode():
            found = [(one.shape[2], one.shape[3]) for one in self.eval()._layers(torch.zeros(1, 3, side, side))]
        self.train(training)
        return found

    def _layers(self, pixels: Tensor) -> list[Tensor]:
        layers = list(self.base(pixels))
        for one in self.further:
            layers.append(one(layers[-1]))
        return layers


def normalized(pixels: Tensor) -> Tensor:
    """Of bytes (n, height, width, 3)."""
    return (pixels.to(torch.float32) - torch.tensor(MEAN)).permute(0, 3, 1, 2) / 58.0
