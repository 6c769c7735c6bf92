"""Pictures that are trained with, as pixels: kept as such while there is room for it, else decoded each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from algorithms.common.faults import UserError
from algorithms.first_party import wording
from algorithms.vision import pictures
from algorithms.vision.image_records import ImageRecord

if TYPE_CHECKING:
    from algorithms.vision.pictures import Pixels

ROOM = 1 << 30
"""Bytes of pixels that are kept of a channel."""


@dataclass
class Gallery:
    """The pictures of a channel, with `channels` colours, their shorter side scaled to `resize` if that is set."""

    records: Sequence[ImageRecord]
    channels: int = pictures.COLOURED
    resize: int | None = None
    square: int | None = None
    """The side of the square to which they are stretched, if that is set."""
    _kept: dict[int, Any] = field(default_factory=dict)
    _room: int = ROOM

    def __len__(self) -> int:
        return len(self.records)

    def pixels(self, number: int) -> Pixels:
        """Of one picture; Undecodable when it is none."""
        if number in self._kept:
            return self._kept[number]
        found = pictures.decode(self.records[number].content, self.channels)
        if self.resize:
            found = pictures.shorter_side(found, self.resize)
        if self.square:
            found = pictures.resized(found, self.square, self.square)
        if found.nbytes <= self._room:
            self._room -= found.nbytes
            self._kept[number] = found
        return found

    def demand(self, channel: str, height: int, width: int) -> None:
        """UserError when one cannot be decoded or is smaller than that, with its number."""
        for number in range(len(self)):
            try:
                found = self.pixels(number).shape
            except pictures.Undecodable as error:
                cause = pictures.Undecodable(f"picture {number}: {error}")
                raise UserError(wording.unreadable_channel(channel, "image", cause)) from error
            if found[0] < height or found[1] < width:
                raise UserError(
                    f"Picture {number} of channel '{channel}' has {found[0]}x{found[1]} pixels (height x width), fewer "
                    f"than the {height}x{width} of image_shape: lower image_shape, or give larger pictures"
                    f"{'' if self.resize else ' (of the image content type: set resize)'}."
                )
