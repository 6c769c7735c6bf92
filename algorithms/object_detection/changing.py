"""Pictures and boxes mirrored, and shown in part or from further away, at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.vision import pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algorithms.vision.pictures import Pixels

UNCHANGED, PART = 0.4, 0.7
"""How often a picture is shown whole, and up to which number a part of it; else it is put onto a larger ground."""
SMALLEST, LARGEST = 0.5, 2.0


def changed(pixels: Pixels, objects: NDArray[Any], draw: np.random.Generator) -> tuple[Pixels, NDArray[Any]]:
    """Of the same size. Objects whose middle is out of sight are gone."""
    if draw.random() < 0.5:
        pixels, objects = pixels[:, ::-1], objects.copy()
        objects[:, [1, 3]] = 1 - objects[:, [3, 1]]
    luck = draw.random()
    if luck < UNCHANGED:
        return pixels, objects
    side = draw.uniform(SMALLEST, 1) if luck < PART else draw.uniform(1, LARGEST)
    left, top = (draw.uniform(min(0, 1 - side), max(0, 1 - side)) for _ in range(2))
    return _seen(pixels, (left, top, side)), _moved(objects, (left, top, side))


def _seen(pixels: Pixels, window: tuple[float, float, float]) -> Pixels:
    """What lies in a window (left, top, side), which may be larger than the picture: the mean is around it then."""
    left, top, side = window
    height, width = pixels.shape[:2]
    size = max(round(side * width), 1), max(round(side * height), 1)
    ground = np.empty((size[1], size[0], pixels.shape[2]), np.uint8)
    ground[:] = pixels.mean(axis=(0, 1)).astype(np.uint8)
    x, y = round(left * width), round(top * height)
    from_x, from_y = max(x, 0), max(y, 0)
    part = pixels[from_y : min(y + size[1], height), from_x : min(x + size[0], width)]
    ground[from_y - y : from_y - y + part.shape[0], from_x - x : from_x - x + part.shape[1]] = part
    return pictures.resized(ground, height, width)


def _moved(objects: NDArray[Any], window: tuple[float, float, float]) -> NDArray[Any]:
    left, top, side = window
    found = objects.copy()
    found[:, 1:] = (objects[:, 1:] - (left, top, left, top)) / side
    middle = (found[:, 1:3] + found[:, 3:5]) / 2
    found[:, 1:] = found[:, 1:].clip(0, 1)
    return found[((middle > 0) & (middle < 1)).all(axis=1)]
