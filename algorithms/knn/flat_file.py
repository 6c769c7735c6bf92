"""faiss's file of an IndexFlat, written and read without faiss, which opens ours as we open its.

https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp, `write_index_header` and IndexFlat.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

L2, INNER_PRODUCT = b"IxF2", b"IxFI"
METRICS = {L2: 1, INNER_PRODUCT: 0}
UNUSED = 1 << 20
HEADER = "<iqqqBi"
AT = 4 + struct.calcsize(HEADER)


def write(vectors: NDArray[np.float32], metric: bytes) -> bytes:
    """Vectors (n, d) under one of the two metrics."""
    count, width = vectors.shape
    head = struct.pack(HEADER, width, count, UNUSED, UNUSED, 1, METRICS[metric])
    return metric + head + struct.pack("<Q", vectors.size) + np.ascontiguousarray(vectors, "<f4").tobytes()


def is_flat(content: bytes) -> bool:
    """Whether it is the file of an IndexFlat; other kinds need faiss."""
    return content[:4] in METRICS


def read(content: bytes) -> tuple[NDArray[np.float32], bytes]:
    """Vectors (n, d) and the metric; ValueError for a file that ends early."""
    metric = content[:4]
    try:
        width, count = struct.unpack_from(HEADER, content, 4)[:2]
        (size,) = struct.unpack_from("<Q", content, AT)
    except struct.error as error:
        raise ValueError(f"the index ends within its head: {error}") from error
    if size != width * count or len(content) < AT + 8 + 4 * size:
        raise ValueError(f"the index has no room for the {count} vectors of {width} dimensions that it announces")
    return np.frombuffer(content, "<f4", size, AT + 8).reshape(count, width), metric
