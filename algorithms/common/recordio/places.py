"""Pieces of a buffer, taken from or put to places that are given as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONG = 64
"""Numbers from which a piece is copied quicker by itself than number by number."""

Span = tuple["NDArray[Any]", "NDArray[Any]"]
"""Where each piece begins, and how many bytes it has."""


def gather(buffer: NDArray[Any], span: Span, size: int) -> NDArray[Any]:
    """The bytes of all pieces, one after the other, as numbers of `size` bytes; all lengths are multiples of it."""
    import numpy

    at, lengths = span
    if not len(at) or not lengths.any():
        return numpy.empty(0, dtype=f"u{size}")
    if (lengths == lengths[0]).all() and (numpy.diff(at) == (step := at[-1] - at[-2] if len(at) > 1 else 0)).all():
        found = strided(buffer, int(at[0]), (len(at), int(lengths[0])), int(step)).copy()
        return found.reshape(-1).view(f"u{size}")
    if lengths.mean() > LONG * size:
        view = memoryview(buffer)
        texts = [view[start:end] for start, end in zip(at.tolist(), (at + lengths).tolist(), strict=True)]
        return numpy.frombuffer(bytearray().join(texts), f"u{size}")
    return anywhere(buffer, f"u{size}")[_places(span, size)]


def scatter(buffer: NDArray[Any], span: Span, numbers: NDArray[Any]) -> None:
    """The opposite: put numbers into the pieces, one piece after the other."""
    anywhere(buffer, f"u{numbers.itemsize}")[_places(span, numbers.itemsize)] = numbers.view(f"u{numbers.itemsize}")


def _places(span: Span, size: int) -> NDArray[Any]:
    """Where each number lies."""
    import numpy

    at, lengths = span
    counts = lengths // size
    before = numpy.cumsum(counts) - counts
    return numpy.repeat(at - before * size, counts) + numpy.arange(0, int(counts.sum()) * size, size)


def anywhere(buffer: NDArray[Any], kind: str) -> NDArray[Any]:
    """What one finds at each byte, read as `kind`."""
    import numpy

    size = numpy.dtype(kind).itemsize
    return numpy.ndarray((len(buffer) - size + 1,), kind, buffer, 0, (1,))


def strided(buffer: NDArray[Any], at: int, shape: Sequence[int], step: int) -> NDArray[Any]:
    """Rows of bytes, `step` bytes apart."""
    import numpy

    return numpy.ndarray(tuple(shape), numpy.uint8, buffer, at, (step, 1))
