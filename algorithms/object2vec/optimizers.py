"""The optimizers by their names, with MXNet's numbers, and what sparse gradients need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

Parameters = list[torch.nn.Parameter]

MAKERS: Mapping[str, Callable[[Parameters, float, float], Any]] = {
    "adadelta": lambda own, rate, decay: torch.optim.Adadelta(own, lr=1.0, rho=0.9, eps=1e-5, weight_decay=decay),
    "adagrad": lambda own, rate, decay: torch.optim.Adagrad(own, lr=rate, eps=1e-7, weight_decay=decay),
    "adam": lambda own, rate, decay: torch.optim.Adam(own, lr=rate, weight_decay=decay),
    "rmsprop": lambda own, rate, decay: torch.optim.RMSprop(own, lr=rate, alpha=0.9, eps=1e-8, weight_decay=decay),
    "sgd": lambda own, rate, decay: torch.optim.SGD(own, lr=rate, weight_decay=decay),
}
SPARSE: Mapping[str, Callable[[Parameters, float], Any]] = {
    "adagrad": lambda own, rate: torch.optim.Adagrad(own, lr=rate, eps=1e-7),
    "adam": lambda own, rate: torch.optim.SparseAdam(own, lr=rate),
    "sgd": lambda own, rate: torch.optim.SGD(own, lr=rate),
}


class Optimizer:
    """Moves what of a network is learned; the rows of sparse tables apart from the rest."""

    def __init__(self, network: Any, name: str, rate: float, decay: float) -> None:
        self._decay = decay
        tables = {id(one) for one in network.tables} if network.shape.sparse else set()
        learned = [one for one in network.parameters() if one.requires_grad]
        self._rows = [one for one in learned if id(one) in tables]
        whole = [one for one in learned if id(one) not in tables]
        self._parts = [MAKERS[name](whole, rate, decay)] if whole else []
        self._parts += [SPARSE[name](self._rows, rate)] if self._rows else []

    def step(self, loss: torch.Tensor) -> None:
        """One step down the slope of a loss."""
        for part in self._parts:
            part.zero_grad(set_to_none=True)
        loss.backward()
        for one in self._rows if self._decay else ():
            self._decay_rows(one)
        for part in self._parts:
            part.step()

    def _decay_rows(self, table: torch.nn.Parameter) -> None:
        """Of the rows that are moved alone, as MXNet's lazy updates do: the optimizers cannot with sparse gradients."""
        if table.grad is None:
            return
        found = table.grad.coalesce()
        rows = found.indices()
        values = found.values() + self._decay * table.detach()[rows[0]]
        table.grad = torch.sparse_coo_tensor(rows, values, found.shape, is_coalesced=True, check_invariants=False)
