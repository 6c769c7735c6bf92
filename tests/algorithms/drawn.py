"""Pictures for the tests of the algorithms that look at them: shapes on noise, as arrays, JPEG and PNG."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest

REMEDY = "pip install 'sagelet[vision]'"
Image = pytest.importorskip("PIL.Image", reason=REMEDY)
ImageDraw = pytest.importorskip("PIL.ImageDraw", reason=REMEDY)

SHAPES = ("square", "circle", "triangle", "cross")


def shape(draw: np.random.Generator, kind: int, size: int = 20) -> np.ndarray:
    """One shape of any colour, size and place on noise of any colour, so that no pixel tells what it is."""
    picture = Image.new("RGB", (size, size), random_colour(draw, 0, 110))
    side = int(draw.integers(size * 2 // 5, size * 3 // 4))
    left, top = (int(draw.integers(1, size - side)) for _ in range(2))
    outline(ImageDraw.Draw(picture), kind, (left, top, left + side, top + side), random_colour(draw, 140))
    noise = draw.normal(0, 12, (size, size, 3))
    return (np.asarray(picture) + noise).clip(0, 255).astype(np.uint8)


def random_colour(draw: np.random.Generator, low: int = 0, high: int = 256) -> tuple[int, ...]:
    return tuple(int(value) for value in draw.integers(low, high, 3))


def outline(canvas: Any, kind: int, box: tuple[int, int, int, int], colour: Any) -> None:
    left, top, right, bottom = box
    if SHAPES[kind] == "square":
        canvas.rectangle(box, fill=colour)
    elif SHAPES[kind] == "circle":
        canvas.ellipse(box, fill=colour)
    elif SHAPES[kind] == "triangle":
        canvas.polygon([((left + right) // 2, top), (right, bottom), (left, bottom)], fill=colour)
    else:
        third_x, third_y = (right - left) // 3, (bottom - top) // 3
        canvas.rectangle((left + third_x, top, right - third_x, bottom), fill=colour)
        canvas.rectangle((left, top + third_y, right, bottom - third_y), fill=colour)


def shapes(count: int, seed: int, size: int = 20) -> tuple[list[np.ndarray], list[int]]:
    """As many of each kind, in turn."""
    draw = np.random.default_rng(seed)
    kinds = [number % len(SHAPES) for number in range(count)]
    return [shape(draw, kind, size) for kind in kinds], kinds


def encoded(pixels: np.ndarray, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **({"quality": 95} if form == "JPEG" else {}))
    return stream.getvalue()


def encoded_claim(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is so large."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\0")) + part(b"IEND", b"")


def records(labelled: list[tuple[list[float], bytes]]) -> bytes:
    """As im2rec packs them, written here by its description and not by the code that is tested."""
    out = []
    for number, (labels, content) in enumerate(labelled):
        flag = 0 if len(labels) == 1 else len(labels)
        head = struct.pack("<IfQQ", flag, labels[0] if not flag else 0.0, number, 0)
        payload = head + (struct.pack(f"<{flag}f", *labels) if flag else b"") + content
        out.append(struct.pack("<II", 0xCED7230A, len(payload)) + payload + bytes(-len(payload) % 4))
    return b"".join(out)


def wrapped(parts: list[bytes]) -> bytes:
    """Each part as a record of its own, as RecordWrapperType RecordIO does."""
    return b"".join(struct.pack("<II", 0xCED7230A, len(part)) + part + bytes(-len(part) % 4) for part in parts)


def scene(draw: np.random.Generator, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A picture with two bright shapes, squares or crosses, and its mask: 0 for the ground, else 1 or 2."""
    picture, mask = Image.new("RGB", (size, size), random_colour(draw, 0, 110)), Image.new("L", (size, size))
    for column in range(2):
        kind, side = int(draw.integers(2)), int(draw.integers(size * 3 // 10, size * 9 // 20))
        left = int(draw.integers(1, size // 2 - side)) + column * (size // 2)
        top = int(draw.integers(1, size - side))
        box = (left, top, left + side, top + side)
        shown = SHAPES.index(("square", "cross")[kind])
        outline(ImageDraw.Draw(picture), shown, box, random_colour(draw, 140))
        outline(ImageDraw.Draw(mask), shown, box, 1 + kind)
    noise = draw.normal(0, 12, (size, size, 3))
    return (np.asarray(picture) + noise).clip(0, 255).astype(np.uint8), np.asarray(mask).copy()


def objects(draw: np.random.Generator, size: int = 100) -> tuple[np.ndarray, list[list[float]]]:
    """A picture with one or two squares or crosses, (class, left, top, right, bottom) each, in parts of it."""
    picture = Image.new("RGB", (size, size), random_colour(draw, 0, 110))
    found = []
    for column in range(int(draw.integers(1, 3))):
        kind, side = int(draw.integers(2)), int(draw.integers(size // 4, size * 9 // 20))
        left = int(draw.integers(1, size // 2 - side)) + column * (size // 2)
        top = int(draw.integers(1, size - side))
        shown = SHAPES.index(("square", "cross")[kind])
        outline(ImageDraw.Draw(picture), shown, (left, top, left + side, top + side), random_colour(draw, 140))
        found.append([kind, *(value / size for value in (left, top, left + side + 1, top + side + 1))])
    noise = draw.normal(0, 12, (size, size, 3))
    return (np.asarray(picture) + noise).clip(0, 255).astype(np.uint8), found


def bright(pixels: np.ndarray) -> list[float]:
    """The box of all that is bright, in parts of the picture: what a detector has to be better than."""
    rows, columns = np.nonzero(pixels.mean(axis=2) > 125)
    height, width = pixels.shape[:2]
    return [columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height]
