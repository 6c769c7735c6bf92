"""Optimizers with the hyperparameters of the algorithms for pictures. Imports PyTorch: to be imported when needed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from algorithms.common.faults import UserError

SMALL_PICTURE = 64 * 64
"""Pixels up to which a product is too small for several threads."""


def suit_threads(height: int, width: int) -> None:
    """One thread where they would rather wait for each other than compute."""
    if height * width <= SMALL_PICTURE:
        torch.set_num_threads(1)


def optimizer(parameters: Mapping[str, Tensor], values: Mapping[str, Any]) -> torch.optim.Optimizer:
    """By `optimizer`. As MXNet's, it lets weights and gammas decay, and no others."""
    decaying = [value for name, value in parameters.items() if name.endswith(("_weight", "_gamma"))]
    others = [value for name, value in parameters.items() if not name.endswith(("_weight", "_gamma"))]
    for value in parameters.values():
        value.requires_grad_(True)
    groups = [
        {"params": decaying, "weight_decay": values["weight_decay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    rate, name = values["learning_rate"], values["optimizer"]
    if name == "adam":
        # PyTorch refuses 1, at which no average would ever move.
        betas = (min(values["beta_1"], 1 - 1e-12), min(values["beta_2"], 1 - 1e-12))
        return torch.optim.Adam(groups, lr=rate, betas=betas, eps=values["eps"])
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate, alpha=values["gamma"], eps=values["eps"])
    momentum = values["momentum"]
    return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=name == "nag" and momentum > 0)


def demand_finite(loss: Tensor, epoch: int, rate: float) -> None:
    """UserError where training has diverged."""
    if not math.isfinite(float(loss.detach())):
        raise UserError(
            f"The training has diverged in epoch {epoch}: its loss is no finite number. Lower learning_rate, which is "
            f"{rate}."
        )


def step(made: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    """Once against the gradient of a loss."""
    for group in made.param_groups:
        group["lr"] = rate
    made.zero_grad(set_to_none=True)
    loss.backward()
    made.step()
