"""Adam is the one of MXNet, to the rounding of a float32: the figures are those of `mxnet.optimizer.Adam` 1.9.1."""

from __future__ import annotations

import numpy as np
import pytest

from algorithms.common.adam import Adam, Move

BEGINNING = [[0.5, -1.0], [2.0, 0.25], [-3.0, 0.75]]
GRADIENTS = [
    [[0.1, -4.0], [0, 0], [2.0, 0.3]],
    [[-0.2, 0.1], [1.5, -0.05], [0, 0]],
    [[0.3, 0.3], [0, 0], [-1.0, 0.02]],
]
ROWS = [[0, 2], [0, 1], [0, 2]]


@pytest.mark.parametrize(
    ("clip", "lazy", "wanted"),
    [
        (-1, False, [[0.3374588, -0.7823956], [1.7454927, 0.1168671], [-3.0986936, 0.5007187]]),
        (-1, True, [[0.3374588, -0.7823956], [1.9268041, 0.25], [-3.0872164, 0.5863549]]),
        (0.5, False, [[0.3374588, -0.7928043], [1.7174166, 0.1168671], [-3.0502105, 0.5007187]]),
        (0.5, True, [[0.3374588, -0.7928043], [1.9300122, 0.25], [-3.0897274, 0.5863549]]),
    ],
)
def test_three_steps_are_those_of_mxnet(clip: float, lazy: bool, wanted: list[list[float]]) -> None:
    found, adam = np.array(BEGINNING, np.float32), Adam(eps=1e-3, clip=clip)
    for gradient, rows in zip(np.array(GRADIENTS, np.float32), map(np.array, ROWS), strict=True):
        adam.step({"w": Move(found, gradient[rows] if lazy else gradient, 0.1, 0.2, rows if lazy else None)})
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array(wanted), abs=1e-5)
