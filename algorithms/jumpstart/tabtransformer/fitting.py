"""Train TabTransformer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import tasks
import torch
from common import model
from common.failing import Refused
from encoding import Encoding
from fitted import Fitted
from network import Shape, TabTransformer
from tabular.training import Work
from torch import Tensor

SEED = 0
NO_ROOM = "There is not enough memory for a network with so many columns. Use a smaller input_dim or batch_size."


def fit(work: Work) -> None:
    """Train with early stopping on the validation data, and save the network of the best epoch."""
    torch.manual_seed(SEED)
    try:
        fitted = made(work)
        Course(fitted, work).run()
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        raise Refused(NO_ROOM) from error
    fitted.save(model.folder())


def made(work: Work) -> Fitted:
    """The network before it has learnt anything."""
    features, target = work.training
    encoding, given = Encoding.of(features, work.categorical), work.hyperparameters
    shape = Shape(
        sizes=[len(known) for known in encoding.categories.values()], numbers=len(encoding.numbers),
        outputs=tasks.of(work.labels).outputs, width=int(given["input_dim"]), blocks=given["n_blocks"],
        shared=given["frac_shared_embed"], dropout=(given["attn_dropout"], given["mlp_dropout"]),
    )  # fmt: skip
    if not np.isfinite(target).all():
        raise Refused("The target (the first column) holds an infinite number.")
    spread = (0.0, 1.0) if work.labels else (float(target.mean()), float(target.std()) or 1.0)
    network = TabTransformer(shape).to("cuda" if torch.cuda.is_available() else "cpu")
    print(f"The network has {sum(each.numel() for each in network.parameters())} parameters.", flush=True)
    return Fitted(network, shape, encoding, work.labels, spread)


@dataclass
class Best:
    """The epoch with the least loss on the validation data so far, and its weights."""

    epoch: int = 0
    loss: float = math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)

    def note(self, epoch: int, loss: float, network: torch.nn.Module) -> None:
        """Keep it if it is the best."""
        if loss < self.loss:
            self.epoch, self.loss = epoch, loss
            self.weights = {name: value.clone() for name, value in network.state_dict().items()}


class Course:
    """The epochs of a training."""

    def __init__(self, fitted: Fitted, work: Work) -> None:
        self._fitted, self._given = fitted, work.hyperparameters
        self._training, self._validation = (
            (fitted.arrays(features), self._standardized(target))
            for features, target in (work.training, work.validation)
        )
        self._target = work.validation[1]
        self._optimizer = torch.optim.AdamW(fitted.network.parameters(), self._given["learning_rate"])

    def run(self) -> None:
        """Until there is no epoch left, or none was better for as many as `patience`. The best is what stays."""
        best, network = Best(), self._fitted.network
        for epoch in range(1, self._given["n_epochs"] + 1):
            print(f"epoch {epoch}: loss={self._in_its_units(self._epoch()):.4f}", flush=True)
            best.note(epoch, self._validated("valid"), network)
            if epoch - best.epoch >= self._given["patience"]:
                print(f"Stopped early: no better on the validation data for {epoch - best.epoch} epochs.", flush=True)
                break
        if not best.weights:
            raise Refused("The loss is not a number after the first epoch. A smaller learning_rate may help.")
        network.load_state_dict(best.weights)
        self._validated(f"The network of epoch {best.epoch} is kept")

    def _epoch(self) -> float:
        """One pass over the training data in an order of its own; the mean loss of its rows."""
        network, (arrays, target) = self._fitted.network.train(), self._training
        network.suit_threads(self._given["batch_size"])
        where, total = next(network.parameters()).device, 0.0
        for rows in torch.randperm(len(target)).split(self._given["batch_size"]):
            self._optimizer.zero_grad()
            outputs = network(*(each[rows].to(where) for each in arrays))
            loss = self._fitted.task.loss(outputs, target[rows].to(where))
            loss.backward()
            self._optimizer.step()
            total += loss.item() * len(rows)
        self._fill_gaps()
        return total / len(target)

    def _fill_gaps(self) -> None:
        columns, encoding = self._fitted.network.columns, self._fitted.encoding
        for place, (name, known) in enumerate(encoding.categories.items()):
            if columns is not None and not encoding.gaps[name]:
                columns.fill_gap(place, len(known))

    def _validated(self, title: str) -> float:
        """The loss of the validation data; it and the metric go to the log."""
        arrays, target = self._validation
        outputs, task = self._fitted.outputs(arrays), self._fitted.task
        loss = task.loss(outputs, target).item()
        score = task.score(self._fitted.answers(outputs), self._target)
        print(f"{title}: loss={self._in_its_units(loss):.4f}, metrics={{'{task.metric}': {score:.4f}}}", flush=True)
        return loss

    def _standardized(self, target: np.ndarray) -> Tensor:
        if self._fitted.labels:
            return torch.from_numpy(target)
        mean, deviation = self._fitted.target
        return torch.from_numpy((target - mean) / deviation)

    def _in_its_units(self, loss: float) -> float:
        """A squared error of standardized targets, of the targets as they are."""
        return loss if self._fitted.labels else loss * self._fitted.target[1] ** 2
