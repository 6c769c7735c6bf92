"""Which models are trained at once: one as the hyperparameters say, the others with close values where they say `auto`.

What `auto` stands for is not documented. In real jobs 32 models came in groups of different learning rates, penalties
and multipliers of the bias; these do too, with rates that were measured to suit small and large data.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OBJECTIVE = "_tuning_objective_metric"
AUTO_MODELS = 32
AUTO_PARAMETERS, AUTO_SCORES = 1 << 26, 1 << 24
"""How many weights, and how many scores of a batch, all models together may have for `num_models` auto to mean 32."""
RATES: Mapping[str, Sequence[float]] = {
    "adam": (0.1, 0.03, 0.3, 0.01),
    "rmsprop": (0.03, 0.01, 0.1, 0.003),
    "sgd": (0.2, 0.05, 0.5, 1.0),
}
SHORT = 60
"""In fewer steps than this, 15 epochs over less than a mini-batch above all, small rates get nowhere."""
SHORT_RATES: Mapping[str, Sequence[float]] = {
    "adam": (0.1, 0.03, 0.3, 1.0),
    "rmsprop": (0.03, 0.1, 0.3, 1.0),
    "sgd": (0.2, 0.5, 1.0, 3.0),
}
BIAS_RATES: Mapping[str, Sequence[float]] = {"adam": (1.0, 10.0), "rmsprop": (1.0, 10.0), "sgd": (1.0, 2.0)}
PENALTIES = ((0.0, 0.0001), (0.0, 0.01), (0.001, 0.0), (0.01, 0.1))
"""Pairs of l1 and wd."""
LAST_SHARE, MINIMUM_RATE, DECREASES = 0.01, 1e-5, 100
"""What remains of a learning rate at the end, the least that it is, and in how many steps it gets there; in a SHORT
training it does not get there."""


@dataclass(frozen=True)
class Candidate:
    """What tells one model from the others."""

    learning_rate: float
    l1: float
    wd: float
    bias_lr_mult: float
    bias_wd_mult: float
    lr_scheduler_step: int
    lr_scheduler_factor: float
    lr_scheduler_minimum_lr: float
    positive_weight: float = 1.0


def count(values: Mapping[str, Any], width: int, classes: int) -> int:
    """How many models of so many features and classes. A tuning job does the search itself: one."""
    if values.get(OBJECTIVE):
        return 1
    if values["num_models"] != "auto":
        return int(values["num_models"])
    scores = AUTO_SCORES // (values["mini_batch_size"] * classes)
    return max(1, min(AUTO_MODELS, AUTO_PARAMETERS // (width * classes), scores))


def choose(values: Mapping[str, Any], number: int, steps: int, balance: float, draw: Any) -> list[Candidate]:
    """The models to train. `steps` are those of the whole training, `balance` how many negatives a positive counts."""
    optimizer = "adam" if values["optimizer"] == "auto" else values["optimizer"]
    rates = (SHORT_RATES if steps < SHORT else RATES)[optimizer]
    grid = itertools.product(PENALTIES, BIAS_RATES[optimizer], rates)
    auto = itertools.chain(grid, _further(rates, BIAS_RATES[optimizer], draw))
    schedule = {
        "lr_scheduler_step": max(1, steps // DECREASES),
        "lr_scheduler_factor": LAST_SHARE ** (1 / max(SHORT, min(DECREASES, steps))),
        "lr_scheduler_minimum_lr": MINIMUM_RATE,
    }
    weights = _positive_weights(values["positive_example_weight_mult"], balance)
    found = []
    for index, ((l1, wd), bias_rate, rate) in enumerate(itertools.islice(auto, number)):
        meant = {"learning_rate": rate, "l1": l1, "wd": wd, "bias_lr_mult": bias_rate, "bias_wd_mult": 0.0} | schedule
        chosen = {name: meant[name] if values[name] == "auto" else values[name] for name in meant}
        found.append(Candidate(**chosen, positive_weight=weights[index % len(weights)]))
    return found


def _further(rates: Sequence[float], bias_rates: Sequence[float], draw: Any) -> Iterator[Any]:
    """Values between those of the grid, at random."""
    low, high = math.log(min(rates)), math.log(max(rates))
    while True:
        l1 = 10 ** draw.uniform(-6, -1) if draw.random() < 0.5 else 0.0
        yield (l1, 10 ** draw.uniform(-6, 0)), bias_rates[draw.integers(2)], math.exp(draw.uniform(low, high))


def _positive_weights(given: Any, balance: float) -> Sequence[float]:
    if given == "balanced":
        return (balance,)
    if given == "auto":
        return (1.0, balance, math.sqrt(balance))
    return (float(given),)
