"""Pictures as arrays of bytes (height, width, channels), from JPEG, PNG and whatever else Pillow opens."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""Of JPEG and PNG."""
LARGEST = 64 << 20
"""Pixels of one picture. A file of a few bytes can claim more than a machine has room for."""
GREY, COLOURED = 1, 3


class Undecodable(ValueError):
    """The bytes are no picture; says why."""


def is_picture(content: bytes) -> bool:
    """Whether the bytes begin as JPEG or PNG."""
    return content.startswith(BEGINNINGS)


def decode(content: bytes, channels: int = COLOURED) -> Pixels:
    """The pixels as bytes (height, width, channels), turned as EXIF says is not done: MXNet does not."""
    import numpy
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as found:
            if found.width * found.height > LARGEST:
                raise Undecodable(f"it has {found.width}x{found.height} pixels, more than {LARGEST}")
            pixels = numpy.array(found.convert("L" if channels == GREY else "RGB"))
    except Undecodable:
        raise
    except UnidentifiedImageError as error:
        raise Undecodable("it is no picture that Pillow knows") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise Undecodable(f"{type(error).__name__}: {error}") from error
    return pixels.reshape(*pixels.shape[:2], channels)


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """Stretched to a size, bilinearly."""
    if pixels.shape[:2] == (height, width):
        return pixels
    import numpy
    from PIL import Image

    found = numpy.array(picture(pixels).resize((width, height), Image.Resampling.BILINEAR))
    return found.reshape(height, width, pixels.shape[2])


def shorter_side(pixels: Pixels, size: int) -> Pixels:
    """Scaled so that the shorter side has `size` pixels."""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    return resized(pixels, max(round(height * size / shorter), size), max(round(width * size / shorter), size))


def centre(pixels: Pixels, height: int, width: int) -> Pixels:
    """The middle part of that size; the picture is no smaller."""
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def picture(pixels: Pixels) -> Any:
    """As Pillow has it."""
    from PIL import Image

    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == GREY else pixels)


def blank(channels: int, height: int, width: int) -> Pixels:
    """A black one."""
    import numpy

    return numpy.zeros((height, width, channels), numpy.uint8)


def decode_mask(content: bytes) -> Pixels:
    """The values (height, width) of a picture with one byte a pixel; of one with a palette the numbers of colours."""
    import numpy
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as found:
            if found.width * found.height > LARGEST:
                raise Undecodable(f"its annotation has {found.width}x{found.height} pixels, more than {LARGEST}")
            if found.mode not in ("L", "P"):
                raise Undecodable(f"its annotation has pixels of the kind {found.mode}, and is to have one byte each")
            return numpy.array(found)
    except Undecodable:
        raise
    except UnidentifiedImageError as error:
        raise Undecodable("its annotation is no picture that Pillow knows") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise Undecodable(f"its annotation: {type(error).__name__}: {error}") from error
