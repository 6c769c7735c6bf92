"""Pictures and masks cut to one size, as GluonCV does it: for training at random, for validation the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.semantic_segmentation.examples import IGNORED
from algorithms.vision import pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algorithms.vision.pictures import Pixels

    Pair = tuple[Pixels, NDArray[Any]]


def drawn(pair: Pair, base: int, crop: int, draw: np.random.Generator) -> Pair:
    """Mirrored or not, its longer side half to twice `base`, a part of it."""
    pixels, mask = pair
    if draw.random() < 0.5:
        pixels, mask = pixels[:, ::-1], mask[:, ::-1]
    pixels, mask = scaled((pixels, mask), int(draw.integers(base // 2, 2 * base + 1)) / max(mask.shape))
    down, right = (max(crop - side, 0) for side in mask.shape)
    if down or right:
        pixels = np.pad(pixels, ((0, down), (0, right), (0, 0)))
        mask = np.pad(mask, ((0, down), (0, right)), constant_values=IGNORED)
    top, left = (int(draw.integers(0, side - crop + 1)) for side in mask.shape)
    return pixels[top : top + crop, left : left + crop], mask[top : top + crop, left : left + crop]


def middle(pair: Pair, crop: int) -> Pair:
    """The shorter side scaled to the size of the part."""
    pixels, mask = scaled(pair, crop / min(pair[1].shape), crop)
    return pictures.centre(pixels, crop, crop), pictures.centre(mask[:, :, None], crop, crop)[:, :, 0]


def scaled(pair: Pair, factor: float, least: int = 1) -> Pair:
    """A picture bilinearly, its mask by the nearest pixel."""
    from PIL import Image

    pixels, mask = pair
    height, width = (max(round(side * factor), least) for side in mask.shape)
    nearest = Image.fromarray(np.ascontiguousarray(mask)).resize((width, height), Image.Resampling.NEAREST)
    return pictures.resized(np.ascontiguousarray(pixels), height, width), np.array(nearest)
