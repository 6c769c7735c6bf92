"""What an epoch consists of: which series give windows, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCHES = 10
"""The batches of an epoch, at least: of few series more windows are drawn."""


def passes(series: int, batch: int) -> tuple[int, float]:
    """How often an epoch goes over all series, and the chance that a series gives a window each time.

    As logs of the image tell it: 14 series in batches of 64 are "46 passes over dataset with prob 0.9937888198757764".
    """
    wanted = BATCHES * batch
    if series >= wanted:
        return 1, 1.0
    times = -(-wanted // series)
    return times, wanted / (series * times)


def batches(series: int, batch: int, draw: np.random.Generator) -> list[NDArray[np.int64]]:
    """The series of each batch of an epoch."""
    counts = draw.binomial(*passes(series, batch), series)
    order = draw.permutation(np.repeat(np.arange(series), counts if counts.any() else 1))
    return [order[at : at + batch] for at in range(0, len(order), batch)]
