"""Blocks of rows as one array, in hardly more memory than that array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stacked(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """The parts below each other. They are taken out of the list, the last one first: so the system gets the memory of
    each back before that of the next is written (the newest allocations lie at the end of the heap)."""
    import numpy

    if len(parts) == 1:
        return parts.pop()
    end = sum(len(part) for part in parts)
    whole = numpy.empty((end, *parts[0].shape[1:]), dtype=numpy.result_type(*{part.dtype for part in parts}))
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole
