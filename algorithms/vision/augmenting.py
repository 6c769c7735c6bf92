"""Random changes of pictures that do not change what they show, as `augmentation_type` names them.

The amounts are those that the developer guide gives; MXNet's `image_aug_default.cc` has the same words for them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.vision import pictures

if TYPE_CHECKING:
    from algorithms.vision.pictures import Pixels

CROP, COLOR, TRANSFORM = "crop", "crop_color", "crop_color_transform"
KINDS = (CROP, COLOR, TRANSFORM)
HUE, SATURATION, LIGHTNESS = 36 / 180, 50 / 255, 50 / 255
"""Parts of the whole range, to either side: OpenCV's hue ends at 180, everything else at 255."""
ROTATION, SHEAR, ASPECT = 10.0, 0.1, 0.25


def changed(pixels: Pixels, size: tuple[int, int], kind: str, draw: np.random.Generator) -> Pixels:
    """A part of that (height, width), changed as one of KINDS says."""
    if kind == TRANSFORM:
        pixels = transformed(pixels, draw)
    top, left = (int(draw.integers(0, whole - part + 1)) for whole, part in zip(pixels.shape, size, strict=False))
    pixels = pixels[top : top + size[0], left : left + size[1]]
    if draw.random() < 0.5:
        pixels = pixels[:, ::-1]
    return pixels if kind == CROP or pixels.shape[2] == pictures.GREY else coloured(pixels, draw)


def coloured(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    """With another hue, saturation and brightness."""
    from PIL import Image

    hsv = np.array(pictures.picture(np.ascontiguousarray(pixels)).convert("HSV")).astype(np.int16)
    move = draw.uniform(-1, 1, 3) * (HUE, SATURATION, LIGHTNESS) * 255
    hsv += move.round().astype(np.int16)
    hsv[:, :, 0] %= 256
    made = Image.frombuffer("HSV", hsv.shape[1::-1], hsv.clip(0, 255).astype(np.uint8).tobytes(), "raw", "HSV", 0, 1)
    return np.array(made.convert("RGB"))


def transformed(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    """Rotated, sheared, and with another ratio of its sides; what comes from outside is black."""
    from PIL import Image

    turn, shear = math.radians(draw.uniform(-ROTATION, ROTATION)), draw.uniform(-SHEAR, SHEAR)
    ratio = math.sqrt(1 + draw.uniform(-ASPECT, ASPECT))
    cos, sin = math.cos(turn), math.sin(turn)
    # From a place in the new picture to one in the old one, both measured from the middle.
    a, b, d, e = cos * ratio, (shear * cos - sin) / ratio, sin * ratio, (shear * sin + cos) / ratio
    height, width = pixels.shape[:2]
    x, y = width / 2, height / 2
    way = (a, b, x - a * x - b * y, d, e, y - d * x - e * y)
    made = pictures.picture(np.ascontiguousarray(pixels)).transform(
        (width, height), Image.Transform.AFFINE, way, Image.Resampling.BILINEAR
    )
    found: Any = np.array(made).reshape(height, width, pixels.shape[2])
    return found
