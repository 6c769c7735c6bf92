"""The records that MXNet's `im2rec` packs: a header with labels in front of a JPEG or PNG.

The layout is `IRHeader` of https://github.com/apache/mxnet/blob/v1.9.x/python/mxnet/recordio.py: a word, which is the
number of labels behind the header, or 0 when there is the one in it; a float, that one; two words of 64 bits, which
number the record. Little endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAD = struct.Struct("<IfQQ")


class ImageRecord(NamedTuple):
    """One picture and its labels, float32."""

    labels: NDArray[Any]
    content: bytes


def unpack(payload: bytes) -> ImageRecord:
    """The parts of a record's payload; ValueError when it is too short for what it says of itself."""
    import numpy

    if len(payload) < HEAD.size:
        raise ValueError(f"it has {len(payload)} bytes, and the header of an image record has {HEAD.size}")
    flag, label, _, _ = HEAD.unpack_from(payload)
    if not flag:
        return ImageRecord(numpy.array([label], numpy.float32), payload[HEAD.size :])
    end = HEAD.size + 4 * flag
    if len(payload) < end:
        raise ValueError(f"it has {len(payload)} bytes, too few for the {flag} labels of its header")
    return ImageRecord(numpy.frombuffer(payload, "<f4", flag, HEAD.size), payload[end:])


def pack(labels: Sequence[float], content: bytes, number: int = 0) -> bytes:
    """The payload of a record; one label stands in the header."""
    import numpy

    if len(labels) == 1:
        return HEAD.pack(0, float(labels[0]), number, 0) + content
    return HEAD.pack(len(labels), 0.0, number, 0) + numpy.asarray(labels, "<f4").tobytes() + content
