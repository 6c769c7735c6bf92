"""Residual networks with the activation before the weights (He et al., ECCV 2016; arxiv.org/abs/1603.05027).

Layers and their names are those of MXNet's `example/image-classification/symbols/resnet.py`, whose models the image
keeps: three stages for small pictures, as for CIFAR, else four, as for ImageNet.
"""

from __future__ import annotations

from algorithms.vision.symbol import DATA, Symbol

SMALL = (20, 32, 44, 56, 110)
UNITS = {
    18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3),
}  # fmt: skip
BOTTLENECK = 50
"""Layers from which on a unit squeezes its channels."""
SMALL_PICTURE = 32
"""Height up to which the first layer does not shrink the picture."""


def layers(symbol: Symbol, count: int, height: int) -> str:
    """All but the last layer; the name of what they give, one number for each channel."""
    squeezed = count not in SMALL and count >= BOTTLENECK
    units = [(count - 2) // 6] * 3 if count in SMALL else list(UNITS[count])
    widths = [16, 32, 64] if count in SMALL else [256, 512, 1024, 2048] if squeezed else [64, 128, 256, 512]
    body = symbol.batch_norm("bn_data", DATA, fix_gamma=True)
    body = _first(symbol, body, 16 if count in SMALL else 64, height)
    for stage, (width, depth) in enumerate(zip(widths, units, strict=True), 1):
        for unit in range(1, depth + 1):
            stride = 2 if stage > 1 and unit == 1 else 1
            body = _unit(symbol, f"stage{stage}_unit{unit}", body, (width, stride, unit > 1), squeezed)
    body = symbol.relu("relu1", symbol.batch_norm("bn1", body))
    return symbol.mean("pool1", body)


def _first(symbol: Symbol, below: str, width: int, height: int) -> str:
    if height <= SMALL_PICTURE:
        return symbol.convolution("conv0", below, width, 3)
    body = symbol.convolution("conv0", below, width, 7, 2)
    body = symbol.relu("relu0", symbol.batch_norm("bn0", body))
    return symbol.max_pool("pooling0", body, 3, 2)


def _unit(symbol: Symbol, name: str, below: str, form: tuple[int, int, bool], squeezed: bool) -> str:
    """`form`: channels, stride, and whether what comes in can be added as it is."""
    width, stride, same = form
    sizes = [(width // 4, 1, 1), (width // 4, 3, stride), (width, 1, 1)] if squeezed else [
        (width, 3, stride), (width, 3, 1)
    ]  # fmt: skip
    body, first = below, ""
    for number, (filters, kernel, step) in enumerate(sizes, 1):
        body = symbol.relu(f"{name}_relu{number}", symbol.batch_norm(f"{name}_bn{number}", body))
        first = first or body
        body = symbol.convolution(f"{name}_conv{number}", body, filters, kernel, step)
    shortcut = below if same else symbol.convolution(f"{name}_sc", first, width, 1, stride)
    return symbol.sum(f"{name}_plus", body, shortcut)
