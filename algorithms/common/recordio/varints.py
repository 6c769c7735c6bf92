"""Numbers of protobuf's varint encoding (seven bits a byte, the lowest first), many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 10
"""Bytes of a number of 64 bits."""


def decode(data: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """All numbers as int64, and where each of them ends; ValueError when the last one does not, or one is too long."""
    import numpy

    ends = numpy.flatnonzero(data < 128)
    if len(ends) == len(data):
        return data.astype(numpy.int64), ends + 1
    if not len(ends) or ends[-1] != len(data) - 1:
        raise ValueError("a number is cut off")
    sizes = ends + 1
    sizes[1:] -= sizes[:-1].copy()
    longest = int(sizes.max())
    if longest > LONGEST:
        raise ValueError("a number is too long")
    low = data & 127
    numbers = data[ends].astype(numpy.int32 if longest <= 4 else numpy.uint64)
    for back in range(1, longest):
        numbers = numpy.where(sizes > back, numbers << 7 | low[ends - back], numbers)
    return numbers.astype(numpy.int64), ends + 1


def encode(numbers: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The bytes of all numbers, and how many each of them has. A negative one has ten."""
    import numpy

    bits = numbers.astype(numpy.int64).view(numpy.uint64)
    largest = int(bits.max(initial=0))
    if largest < 1 << 31:
        bits = bits.astype(numpy.int32)
    sizes = numpy.ones(len(bits), dtype=numpy.int64)
    longest = max(1, (largest.bit_length() + 6) // 7)
    for size in range(1, longest):
        sizes += bits >> 7 * size > 0
    at = numpy.cumsum(sizes) - sizes
    out = numpy.empty(int(sizes.sum()), dtype=numpy.uint8)
    for place in range(longest):
        here = numpy.flatnonzero(sizes > place) if place else slice(None)
        more = (sizes[here] > place + 1).astype(numpy.uint8) << 7
        out[at[here] + place] = (bits[here] >> 7 * place & 127).astype(numpy.uint8) | more
    return out, sizes


def one(number: int) -> bytes:
    """The bytes of one number that is not negative."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
