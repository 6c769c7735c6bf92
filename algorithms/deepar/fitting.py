"""Learning from batches of windows, and forecasts of many series."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from algorithms.common.faults import UserError
from algorithms.deepar.network import Network
from algorithms.deepar.windows import Panel

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLIP = 10.0
AT_ONCE = 6400
"""Paths that are drawn at once."""


class Learner:
    """A network with its optimizer."""

    def __init__(self, network: Network, rate: float) -> None:
        self.network = network
        self._optimizer = torch.optim.Adam(network.parameters(), lr=rate)

    def losses(self, panel: Panel, batches: list[NDArray[np.int64]], draw: np.random.Generator) -> Iterator[float]:
        """Learn from each batch; its loss."""
        self.network.train()
        for chosen in batches:
            self._optimizer.zero_grad()
            loss = self.network.loss(panel.draw(chosen, draw))
            found = float(loss.detach())
            if not np.isfinite(found):
                raise UserError("The training has diverged: its loss is no finite number. Lower learning_rate.")
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
            self._optimizer.step()
            yield found

    def kept(self) -> dict[str, Any]:
        """What has been learned so far."""
        return copy.deepcopy(self.network.state_dict())


def forecast(network: Network, panel: Panel, ends: NDArray[np.int64], samples: int) -> NDArray[np.float32]:
    """Paths (series, samples, prediction) of the steps from `ends` on, the same ones each time."""
    network.eval()
    generator = torch.Generator().manual_seed(1)
    step = max(AT_ONCE // samples, 1)
    every = np.arange(len(panel))
    parts = [
        network.paths(panel.windows(every[at : at + step], ends[at : at + step]), samples, generator).numpy()
        for at in range(0, len(panel), step)
    ]
    return np.concatenate(parts)
