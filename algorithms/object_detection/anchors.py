"""The boxes from which the network starts, with the sizes and ratios of MXNet's `example/ssd`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Boxes = NDArray[Any]

SIZES = ((0.1, 0.141), (0.2, 0.272), (0.37, 0.447), (0.54, 0.619), (0.71, 0.79), (0.88, 0.961))
RATIOS = ((1, 2, 0.5), *((1, 2, 0.5, 3, 1 / 3),) * 3, (1, 2, 0.5), (1, 2, 0.5))
COUNTS = tuple(len(sizes) + len(ratios) - 1 for sizes, ratios in zip(SIZES, RATIOS, strict=True))


def boxes(layers: Sequence[tuple[int, int]]) -> Boxes:
    """All (n, 4), of layers with so many rows and columns."""
    return np.concatenate([_of_layer(*layer, n) for n, layer in enumerate(layers)]).astype(np.float32)


def _of_layer(rows: int, columns: int, number: int) -> Boxes:
    sizes, ratios = SIZES[number], RATIOS[number]
    forms = [(size, size) for size in sizes]
    forms += [(sizes[0] * ratio**0.5, sizes[0] / ratio**0.5) for ratio in ratios[1:]]
    down, right = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
    middle = np.stack([right, down], axis=-1)[:, :, None]
    half = np.array(forms)[None, None] / 2
    return np.concatenate([middle - half, middle + half], axis=-1).reshape(-1, 4)
