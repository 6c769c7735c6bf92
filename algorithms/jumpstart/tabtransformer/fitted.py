"""A network with all that belongs to it: how tables are encoded for it, and what its outputs mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tasks
import torch
from encoding import Encoding
from network import Shape, TabTransformer
from torch import Tensor

WEIGHTS, TOLD = "model.pt", "network.json"
ROWS = 4096
"""How many are predicted at a time: attention takes memory for each pair of columns of each of them."""

Arrays = tuple[Tensor, Tensor]
"""Codes and numbers."""


@dataclass(frozen=True)
class Fitted:
    """`target` is (mean, deviation) of a regression's: the network learns it standardized."""

    network: TabTransformer
    shape: Shape
    encoding: Encoding
    labels: list[Any] | None
    target: tuple[float, float]

    @property
    def task(self) -> tasks.Task:
        """What the outputs mean."""
        return tasks.of(self.labels)

    def arrays(self, features: pd.DataFrame) -> Arrays:
        """A table as the network takes it."""
        return torch.from_numpy(self.encoding.codes(features)), torch.from_numpy(self.encoding.scaled(features))

    @torch.no_grad()
    def outputs(self, arrays: Arrays) -> Tensor:
        """(rows, outputs), without dropout."""
        self.network.eval()
        self.network.suit_threads(min(len(arrays[1]), ROWS))
        where = next(self.network.parameters()).device
        return torch.cat([self.network(*(each.to(where) for each in part)).cpu() for part in _parts(arrays)])

    def answers(self, outputs: Tensor) -> np.ndarray:
        """Predictions (rows) or probabilities (rows, labels)."""
        found = self.task.answer(outputs).numpy().astype(np.float64)
        return found if self.labels else found * self.target[1] + self.target[0]

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Those of a table."""
        return self.answers(self.outputs(self.arrays(features)))

    def save(self, folder: Path) -> None:
        """As PyTorch's file of weights, and JSON."""
        torch.save({name: value.cpu() for name, value in self.network.state_dict().items()}, folder / WEIGHTS)
        told = {"shape": asdict(self.shape), "encoding": self.encoding.as_json(), "target": self.target}
        (folder / TOLD).write_text(json.dumps(told, indent=1), encoding="utf-8")


def load(folder: Path, labels: list[Any] | None) -> Fitted:
    """What `save` wrote."""
    told = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    shape = Shape(**told["shape"])
    network = TabTransformer(shape)
    network.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
    return Fitted(network.eval(), shape, Encoding.told(told["encoding"]), labels, tuple(told["target"]))


def _parts(arrays: Arrays) -> Iterator[Arrays]:
    for first in range(0, len(arrays[1]), ROWS):
        yield arrays[0][first : first + ROWS], arrays[1][first : first + ROWS]
