"""The training of any network that classifies, told in the log as Keras tells it, a line an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as compute
from common.failing import Refused
from networks import optimizers
from networks.measures import MEASURES
from networks.stopping import Stopping
from torch import Tensor, nn

SEED = 123
WARM = "adamw"
"""The optimizer whose rate rises and falls, as BERT was trained."""


class Examples(Protocol):
    """What is learned from; `labels` are classes from 0."""

    labels: Any

    def inputs(self, numbers: Sequence[int], learning: bool) -> tuple[Tensor, ...]:
        """What the network is called with, for some of them."""
        ...


@dataclass
class Classifying:
    """A network with the hyperparameters of a job; `top` are beginnings of the names of its last layer."""

    network: nn.Module
    values: Mapping[str, Any]
    top: tuple[str, ...]

    def fit(self, training: Examples, validation: Examples) -> None:
        """All epochs, or until they get no better: then the best one is kept."""
        count = self.values["epochs"]
        made, stopping = optimizers.made(self._learned(), self.values), Stopping(self.values)
        steps = math.ceil(len(training.labels) / self.values["batch_size"])
        for epoch in range(count):
            began = time.monotonic()
            print(f"Epoch {epoch + 1}/{count}", flush=True)
            lost, told = [], []
            for step, numbers in enumerate(self._batches(training, epoch)):
                for group in made.param_groups:
                    group["lr"] = self._rate(epoch * steps + step, count * steps)
                loss, chances = self._learn(training, numbers, made)
                lost += [loss] * len(numbers)
                told.append((chances, training.labels[numbers]))
            found = {"loss": float(np.mean(lost)), **self._measured(told)}
            found |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
            _say(steps, time.monotonic() - began, found)
            watched = self.values.get("eval_metric", "accuracy")
            if stopping.ends(found[f"val_{watched}"], self.network):
                print(f"Epoch {epoch + 1}: early stopping, the best epoch is kept.", flush=True)
                break

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """The loss and the measures, in batches, without learning."""
        self.network.eval()
        told, lost, step = [], [], self.values["batch_size"]
        with torch.inference_mode():
            for at in range(0, len(examples.labels), step):
                numbers = list(range(at, min(at + step, len(examples.labels))))
                scores = self.network(*examples.inputs(numbers, False))
                lost += [float(self._loss(scores, examples.labels[numbers]))] * len(numbers)
                told.append((_chances(scores), examples.labels[numbers]))
        return {"loss": float(np.mean(lost)), **self._measured(told)}

    def _batches(self, examples: Examples, epoch: int) -> Iterator[Any]:
        order = np.random.default_rng((SEED, epoch)).permutation(len(examples.labels))
        for at in range(0, len(order), self.values["batch_size"]):
            yield order[at : at + self.values["batch_size"]]

    def _learn(self, examples: Examples, numbers: Any, made: torch.optim.Optimizer) -> tuple[float, Any]:
        self._learning()
        scores = self.network(*examples.inputs(numbers, True))
        loss = self._loss(scores, examples.labels[numbers])
        if not math.isfinite(float(loss.detach())):
            raise Refused(
                "The training has diverged: its loss is no finite number. Lower learning_rate, which is "
                f"{self.values['learning_rate']}."
            )
        made.zero_grad(set_to_none=True)
        (loss + self.values["regularizers_l2"] * self._top_squares()).backward()
        made.step()
        return float(loss.detach()), _chances(scores.detach())

    def _loss(self, scores: Tensor, labels: Any) -> Tensor:
        smooth, wanted = self.values.get("label_smoothing", 0.0), torch.as_tensor(labels)
        if scores.shape[1] > 1:
            return compute.cross_entropy(scores, wanted, label_smoothing=smooth)
        soft = wanted.to(torch.float32) * (1 - smooth) + smooth / 2
        return compute.binary_cross_entropy_with_logits(scores[:, 0], soft)

    def _measured(self, told: list[tuple[Any, Any]]) -> dict[str, float]:
        chances, labels = (np.concatenate(part) for part in zip(*told, strict=True))
        names = dict.fromkeys(("accuracy", self.values.get("eval_metric", "accuracy")))
        return {name: MEASURES[name](chances, labels) for name in names}

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


def _chances(scores: Tensor) -> Any:
    return (scores.softmax(dim=1) if scores.shape[1] > 1 else scores.sigmoid()).numpy()


def _say(steps: int, seconds: float, found: Mapping[str, float]) -> None:
    """Keras's line, and values with `=`, as the developer guide's regular expressions have them."""
    told = " - ".join(f"{name}: {value:.4f}" for name, value in found.items())
    print(f"{steps}/{steps} - {seconds:.0f}s - {told} - {seconds * 1000 / steps:.0f}ms/step", flush=True)
    shown = ", ".join(f"{name}={value:.4f}" for name, value in found.items() if name.startswith("val_"))
    print(f"Metrics: {shown}", flush=True)
