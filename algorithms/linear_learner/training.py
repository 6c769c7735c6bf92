"""All models of a job in training, the data that they learn from, and the best of them so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.linear_learner import candidates, losses, thresholds
from algorithms.linear_learner.model import Linear
from algorithms.linear_learner.models import Models
from algorithms.linear_learner.scaling import Scaling
from algorithms.linear_learner.thresholds import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SAMPLE = 20000
"""Records of which thresholds are tried after each epoch."""
SCORES = 1 << 22
"""How many scores are computed at once."""


@dataclass(frozen=True)
class Records:
    """Features (n, d), dense or CSR, and labels (n,)."""

    features: Any
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, most: int) -> Records:
        """At most so many of them, evenly spread."""
        if len(self) <= most:
            return self
        chosen = np.linspace(0, len(self) - 1, most).astype(np.intp)
        return Records(self.features[chosen], self.labels[chosen])


@dataclass(frozen=True)
class Verdict:
    """What was found of each model: its loss in units of the label, and how good it is by the job's criterion.

    Without a criterion but the loss, `value` is the loss with its sign turned. `cuts` are raw thresholds.
    """

    losses: NDArray[np.float64]
    value: NDArray[np.float64]
    cuts: NDArray[np.float64]

    @classmethod
    def of(cls, losses: NDArray[np.float64]) -> Verdict:
        """By the loss alone; what is no finite number is the worst."""
        finite = np.where(np.isfinite(losses), losses, np.inf)
        return cls(finite, -finite, np.zeros(len(finite)))

    @property
    def best(self) -> int:
        """The model that is best by the criterion, of equal ones that with the least loss."""
        return int(np.lexsort((self.losses, -self.value))[0])

    @property
    def key(self) -> tuple[float, float]:
        """To be compared with other verdicts: greater is better."""
        return float(self.value[self.best]), -float(self.losses[self.best])


class Training:
    """`values` are the hyperparameters, without `auto` where a switch says so."""

    def __init__(self, values: Mapping[str, Any], records: Records, draw: Any) -> None:
        self._values, self._records, self._draw = values, records, draw
        self._loss = losses.of(values)
        self.objective = self._loss.objective
        self.classes = values["num_classes"] if values["predictor_type"] == "multiclass_classifier" else 1
        self.scaling = Scaling.of(records.features, records.labels, values)
        width = int(records.features.shape[1])
        number = candidates.count(values, width, self.classes)
        steps = -(-len(records) // values["mini_batch_size"]) * values["epochs"]
        balance = self._balance(records.labels)
        self.is_short = steps < candidates.SHORT
        self.candidates = candidates.choose(values, number, steps, balance, draw)
        self._models = Models(self._loss, self.candidates, self.classes, self._start(width), values)
        self._class_weights = self._weigh(records.labels)

    @property
    def multiplications(self) -> int:
        """How many one product of a batch with all models takes."""
        width = int(self._records.features.shape[1])
        return min(self._values["mini_batch_size"], len(self._records)) * width * len(self.candidates) * self.classes

    def epoch(self) -> NDArray[np.float64]:
        """One pass over the shuffled records; the mean loss of each model before its steps, in the unit trained in."""
        order = self._draw.permutation(len(self._records))
        size = self._values["mini_batch_size"]
        total = np.zeros(len(self.candidates))
        for at in range(0, len(order), size):
            rows = self._records.features[order[at : at + size]]
            labels = self._records.labels[order[at : at + size]]
            view, own = self.scaling.view(rows), self.scaling.label(labels)
            total += self._models.update(view, own, self._weights(labels))
        return total / len(order)

    def judge(self, records: Records, most: int = SAMPLE) -> Verdict:
        """All models on records; thresholds are tried on at most so many of them."""
        total = np.zeros(len(self.candidates))
        for part in self._blocks(records):
            view, labels = self.scaling.view(part.features), self.scaling.label(part.labels)
            total += self._models.losses(view, labels, self._judging(part.labels))
        verdict = Verdict.of(total / len(records) * self.scaling.label_spread**self._loss.degree)
        if not self.by_threshold:
            return verdict
        sample = records.sample(most)
        raw = np.concatenate([self._models.scores(self.scaling.view(one.features)) for one in self._blocks(sample)])
        value = np.full(len(total), -1.0)
        for index in np.flatnonzero(np.isfinite(verdict.losses)):
            counts = Counts.of(raw[:, index], sample.labels)
            verdict.cuts[index], value[index] = thresholds.calibrate(counts, self._values)
        return replace(verdict, value=value)

    @property
    def by_threshold(self) -> bool:
        """Whether models are chosen by what a threshold makes of their scores."""
        binary = self._values["predictor_type"] == "binary_classifier"
        return binary and thresholds.criterion(self._values) in thresholds.CRITERIA

    def state(self) -> tuple[Any, Any]:
        """The parameters of all models, to come back to."""
        return self._models.weights.copy(), self._models.bias.copy()

    def restore(self, state: tuple[Any, Any]) -> None:
        self._models.weights, self._models.bias = state

    def model(self, index: int, threshold: float = 0.0) -> Linear:
        """One of the models, for rows and labels as they came."""
        own = slice(index * self.classes, (index + 1) * self.classes)
        weights, bias = self.scaling.fold(self._models.weights[:, own], self._models.bias[own])
        return Linear(self._values["predictor_type"], self._loss.name, weights, bias, threshold)

    def objective_of(self, model: Linear, records: Records, index: int) -> float:
        """The loss of a folded model in units of the label."""
        spread, total = self.scaling.label_spread, 0.0
        for part in self._blocks(records):
            raw = model.raw(part.features)
            labels = part.labels.astype(np.float64)
            if self.classes > 1:
                raw = raw[:, None, :]
            else:
                raw, labels = (raw - self.scaling.label_mean) / spread, (labels - self.scaling.label_mean) / spread
            value = self._loss.value(raw, labels)
            weights = self._judging(part.labels)
            total += float((value if weights is None else value * weights[:, index % weights.shape[1], None]).sum())
        return total / len(records) * spread**self._loss.degree

    def _weights(self, labels: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """How much each record counts: (n, models), or (n, 1) when that is the same for all."""
        if self.classes > 1:
            return None if self._class_weights is None else self._class_weights[labels.astype(np.intp)][:, None]
        positive = np.array([one.positive_weight for one in self.candidates], np.float32)
        if (positive == 1).all():
            return None
        return np.where(labels[:, None] > 0, positive, np.float32(1))

    def _judging(self, labels: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The same for losses that are compared: where the models' weights differ, all records count the same."""
        return None if self._values["positive_example_weight_mult"] == "auto" else self._weights(labels)

    def _weigh(self, labels: NDArray[np.float32]) -> NDArray[np.float32] | None:
        if self.classes == 1 or not self._values["balance_multiclass_weights"]:
            return None
        there = np.bincount(labels.astype(np.intp), minlength=self.classes)
        return (len(labels) / (max(1, int((there > 0).sum())) * np.maximum(there, 1))).astype(np.float32)

    def _balance(self, labels: NDArray[np.float32]) -> float:
        positives = float((labels > 0).sum())
        return (len(labels) - positives) / positives if 0 < positives < len(labels) else 1.0

    def _start(self, width: int) -> tuple[Any, Any]:
        values, count = self._values, len(self.candidates)
        shape = (width, count * self.classes)
        if values["init_method"] == "normal":
            weights = self._draw.normal(0, values["init_sigma"], shape)
        else:
            weights = self._draw.uniform(-values["init_scale"], values["init_scale"], shape)
        bias = values["init_bias"] if values["use_bias"] else 0.0
        return weights.astype(np.float32), np.full(shape[1], bias, np.float32)

    def _blocks(self, records: Records) -> Iterator[Records]:
        """The records in parts, the scores of which by all models together are of a bearable size."""
        size = max(1, SCORES // (len(self.candidates) * self.classes))
        for at in range(0, len(records), size):
            yield Records(records.features[at : at + size], records.labels[at : at + size])
