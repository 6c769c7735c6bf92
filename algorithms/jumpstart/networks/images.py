"""Pictures as what a network looks at: resized to a square, kept while there is room for it, normalized."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common.failing import Refused
from networks import pictures
from networks.mobilenet import MEAN, SPREAD
from torch import Tensor

ENDINGS = (".jpg", ".jpeg", ".png")
ROOM = 1 << 30
"""Bytes of pixels that are kept of a channel; what is beyond it is decoded each time."""
SMALL = 128
"""The side of pictures up to which a step is too short for several threads."""
PLAIN = "bilinear"
"""The way of resizing where none is asked for."""
FILTERS = {"bilinear": "BILINEAR", "nearest": "NEAREST", "bicubic": "BICUBIC", "area": "BOX", "lanczos3": "LANCZOS"}
"""Pillow's names for TensorFlow's ways of resizing."""


def suit_threads(side: int) -> None:
    """One thread where several would rather wait for each other."""
    if side <= SMALL:
        torch.set_num_threads(1)


def demand(interpolation: str) -> None:
    """Refused where that way of resizing is not computed here."""
    if interpolation not in FILTERS:
        raise Refused(
            f"image_resize_interpolation={interpolation} is not computed here; choose one of {', '.join(FILTERS)}."
        )


def square(content: bytes, side: int, interpolation: str) -> Any:
    """Bytes (side, side, 3) of an encoded picture; pictures.Undecodable when it is none."""
    from PIL import Image

    found = pictures.picture(pictures.decode(content))
    return np.array(found.resize((side, side), Image.Resampling[FILTERS[interpolation]]))


def sent(content: bytes, side: int, interpolation: str = PLAIN) -> Tensor:
    """The picture of a request, normalized, alone in its batch; Refused when it is none."""
    try:
        return normalized(square(content, side, interpolation)[None])
    except pictures.Undecodable as error:
        raise Refused(f"The body is no picture: {error}.") from None


def normalized(pixels: Any) -> Tensor:
    """Of bytes (n, height, width, 3): (n, 3, height, width)."""
    found = torch.from_numpy(pixels).to(torch.float32) / 255
    return ((found - torch.tensor(MEAN)) / torch.tensor(SPREAD)).permute(0, 3, 1, 2)


class Squares:
    """The pictures of files; Refused names one that cannot be decoded."""

    def __init__(self, paths: Sequence[Path], side: int, interpolation: str) -> None:
        self._paths, self._side, self._interpolation = paths, side, interpolation
        self._kept: dict[int, Any] = {}
        self._room = ROOM
        for number in range(len(paths)):
            self.pixels(number)

    def pixels(self, number: int) -> Any:
        """Of one picture (side, side, 3)."""
        if number in self._kept:
            return self._kept[number]
        path = self._paths[number]
        try:
            found = square(path.read_bytes(), self._side, self._interpolation)
        except pictures.Undecodable as error:
            raise Refused(f"The picture {path.parent.name}/{path.name} cannot be read: {error}.") from None
        if found.nbytes <= self._room:
            self._room -= found.nbytes
            self._kept[number] = found
        return found

    def batch(self, numbers: Sequence[int]) -> Tensor:
        """Normalized, of several."""
        return normalized(np.stack([self.pixels(int(number)) for number in numbers]))
