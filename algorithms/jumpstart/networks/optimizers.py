"""Optimizers as Keras has them: https://keras.io/api/optimizers/, by the hyperparameters of the developer guide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

DECAY = 0.01
"""Of adamw's weights, as BERT was trained (Devlin et al., 2018)."""
MOST = 1 - 1e-12
"""PyTorch refuses 1, at which no average would ever move."""
Made = torch.optim.Optimizer


def made(parameters: Iterable[Tensor], values: Mapping[str, Any]) -> Made:
    """By `optimizer`."""
    return MAKERS[values["optimizer"]](list(parameters), values)


def still_rmsprop(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values for a family whose guide says that `momentum` is of sgd and nesterov alone."""
    return {**values, "momentum": 0.0} if values["optimizer"] == "rmsprop" else dict(values)


def _betas(values: Mapping[str, Any]) -> tuple[float, float]:
    return min(values["beta_1"], MOST), min(values["beta_2"], MOST)


def _adam(given: list[Tensor], values: Mapping[str, Any]) -> Made:
    return torch.optim.Adam(given, lr=values["learning_rate"], betas=_betas(values), eps=values["epsilon"])


def _adamw(given: list[Tensor], values: Mapping[str, Any]) -> Made:
    groups = [
        {"params": [one for one in given if one.ndim > 1], "weight_decay": DECAY},
        {"params": [one for one in given if one.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=values["learning_rate"], betas=_betas(values), eps=values["epsilon"])


def _sgd(given: list[Tensor], values: Mapping[str, Any]) -> Made:
    return torch.optim.SGD(given, lr=values["learning_rate"], momentum=values["momentum"])


def _nesterov(given: list[Tensor], values: Mapping[str, Any]) -> Made:
    momentum = values["momentum"]
    return torch.optim.SGD(given, lr=values["learning_rate"], momentum=momentum, nesterov=momentum > 0)


def _rmsprop(given: list[Tensor], values: Mapping[str, Any]) -> Made:
    return torch.optim.RMSprop(
        given, lr=values["learning_rate"], alpha=values["rho"], eps=values["epsilon"], momentum=values["momentum"]
    )


def _adagrad(given: list[Tensor], values: Mapping[str, Any]) -> Made:
    return torch.optim.Adagrad(
        given,
        lr=values["learning_rate"],
        initial_accumulator_value=values["initial_accumulator_value"],
        eps=values["epsilon"],
    )


def _adadelta(given: list[Tensor], values: Mapping[str, Any]) -> Made:
    return torch.optim.Adadelta(given, lr=values["learning_rate"], rho=values["rho"], eps=values["epsilon"])


MAKERS: Mapping[str, Callable[[list[Tensor], Mapping[str, Any]], Made]] = {
    "adam": _adam, "adamw": _adamw, "sgd": _sgd, "nesterov": _nesterov, "rmsprop": _rmsprop, "adagrad": _adagrad,
    "adadelta": _adadelta,
}  # fmt: skip
