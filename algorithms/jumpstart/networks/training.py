"""The training of any network: epochs, batches, and which of its layers learn; a task says what is lost and told."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from common.failing import Refused
from networks import optimizers
from networks.stopping import Stopping
from torch import Tensor, nn

SEED = 123
WARM = "adamw"
"""The optimizer whose rate rises and falls, as BERT was trained."""


class Examples(Protocol):
    """What is learned from."""

    def __len__(self) -> int: ...

    def inputs(self, numbers: Sequence[int], learning: bool) -> tuple[Tensor, ...]:
        """What the network is called with, for some of them."""
        ...


@dataclass
class Training(ABC):
    """A network with the hyperparameters of a job; `top` are beginnings of the names of its last layer. A task inherits
    this and fulfils its four methods."""

    network: nn.Module
    values: Mapping[str, Any]
    top: tuple[str, ...]

    @abstractmethod
    def lost(self, examples: Any, numbers: Sequence[int], learning: bool) -> tuple[Tensor, Any]:
        """The loss of some examples, and what of it is to be told."""

    @abstractmethod
    def measured(self, told: list[Any]) -> dict[str, float]:
        """What is told of all batches of an epoch; `loss` at least."""

    @abstractmethod
    def watched(self, found: Mapping[str, float]) -> float:
        """What early stopping compares epochs by: more is better. What is measured of validation begins with `val_`."""

    @abstractmethod
    def say(self, steps: int, seconds: float, found: Mapping[str, float]) -> None:
        """What the log has of an epoch."""

    def fit(self, training: Examples, validation: Examples) -> None:
        """All epochs, or until they get no better: then the best one is kept."""
        count = self.values["epochs"]
        made, stopping = optimizers.made(self._learned(), self.values), Stopping(self.values)
        steps = math.ceil(len(training) / self.values["batch_size"])
        for epoch in range(count):
            began = time.monotonic()
            print(f"Epoch {epoch + 1}/{count}", flush=True)
            told = []
            for step, numbers in enumerate(self._batches(len(training), epoch)):
                for group in made.param_groups:
                    group["lr"] = self._rate(epoch * steps + step, count * steps)
                told.append(self._learn(training, numbers, made))
            found = self.measured(told)
            found |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
            self.say(steps, time.monotonic() - began, found)
            if stopping.ends(self.watched(found), self.network):
                print(f"Epoch {epoch + 1}: early stopping, the best epoch is kept.", flush=True)
                break

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """What is measured, in batches, without learning."""
        self.network.eval()
        told, step = [], self.values["batch_size"]
        with torch.inference_mode():
            for at in range(0, len(examples), step):
                told.append(self.lost(examples, range(at, min(at + step, len(examples))), False)[1])
        return self.measured(told)

    def _batches(self, count: int, epoch: int) -> Iterator[Any]:
        order = np.random.default_rng((SEED, epoch)).permutation(count)
        for at in range(0, count, self.values["batch_size"]):
            yield order[at : at + self.values["batch_size"]]

    def _learn(self, examples: Examples, numbers: Any, made: torch.optim.Optimizer) -> Any:
        self._learning()
        loss, told = self.lost(examples, numbers, True)
        if not math.isfinite(float(loss.detach())):
            raise Refused(
                "The training has diverged: its loss is no finite number. Lower learning_rate, which is "
                f"{self.values['learning_rate']}."
            )
        made.zero_grad(set_to_none=True)
        if "regularizers_l2" in self.values:
            loss = loss + self.values["regularizers_l2"] * self._top_squares()
        loss.backward()
        made.step()
        return told

    def _is_top(self, name: str) -> bool:
        return name.startswith(self.top)

    def _top_squares(self) -> Tensor:
        weights = [one for name, one in self.network.named_parameters() if self._is_top(name) and one.ndim > 1]
        return torch.stack([(one**2).sum() for one in weights]).sum()

    def _learned(self) -> list[Tensor]:
        only = self.values["train_only_on_top_layer"] == "True"
        return [one for name, one in self.network.named_parameters() if not only or self._is_top(name)]

    def _learning(self) -> None:
        """Layers that do not learn stay as they answer: their batch normalization does not move."""
        only = self.values["train_only_on_top_layer"] == "True"
        self.network.train(not only)
        for name, module in self.network.named_modules():
            if only and self._is_top(f"{name}."):
                module.train()

    def _rate(self, step: int, steps: int) -> float:
        """Of adamw: up from 0 in the first part of all steps, and down to 0 in the rest."""
        rate: float = self.values["learning_rate"]
        if self.values["optimizer"] != WARM:
            return rate
        warm = self.values["warmup_steps_fraction"] * steps
        return rate * (step + 1) / warm if step < warm else rate * (steps - step) / max(steps - warm, 1)
