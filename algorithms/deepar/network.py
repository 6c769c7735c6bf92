"""The network: an LSTM that is given lagged values, the calendar and categories, and says a distribution of each step.

Salinas, Flunkert, Gasthaus: "DeepAR: Probabilistic forecasting with autoregressive recurrent networks" (1704.04110).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from algorithms.deepar.likelihoods import LIKELIHOODS
from algorithms.deepar.windows import Batch, Shape

Tensor = Any


class Network(nn.Module):
    """Of one shape. Its state dictionary is all that is learned."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.likelihood = LIKELIHOODS[shape.likelihood]
        self.embeddings = nn.ModuleList(nn.Embedding(size, shape.embedding) for size in shape.cardinality)
        between = shape.dropout if shape.layers > 1 else 0.0
        self.lstm = nn.LSTM(shape.inputs, shape.cells, shape.layers, batch_first=True, dropout=between)
        self.drop = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.cells, self.likelihood.parameters)

    def loss(self, batch: Batch) -> Tensor:
        """The mean over the observed steps of all windows."""
        raw, _ = self._run(_tensor(batch.lagged), _tensor(batch.features), self._static(batch))
        observed, scale = _tensor(batch.observed), _tensor(batch.scale)[:, None]
        found = self.likelihood.loss(raw, _tensor(batch.target), scale)
        return (found * observed).sum() / observed.sum().clamp(min=1)

    @torch.no_grad()
    def paths(self, batch: Batch, samples: int, generator: Any) -> Tensor:
        """Forecasts (B, samples, prediction): each step is drawn, and seen by those after it."""
        shape, static = self.shape, self._static(batch)
        features, at = _tensor(batch.features), shape.context
        raw, state = self._run(_tensor(batch.lagged[:, : at + 1]), features[:, : at + 1], static)
        raw, static, features = (_repeated(one, samples) for one in (raw[:, -1:], static, features[:, at:]))
        state = tuple(part.repeat_interleave(samples, 1) for part in state)
        scale = _repeated(_tensor(batch.scale), samples)[:, None]
        known = torch.zeros(len(scale), shape.past + shape.prediction)
        known[:, : shape.past] = _repeated(_tensor(batch.past), samples)
        lags, found = torch.tensor(shape.lags), torch.empty(len(scale), shape.prediction)
        for step in range(shape.prediction):
            if step:
                lagged = known[:, shape.past + step - lags][:, None]
                raw, state = self._run(lagged, features[:, step : step + 1], static, state)
            drawn = self.likelihood.sample(raw, scale, generator)
            found[:, step : step + 1] = drawn
            known[:, shape.past + step] = (drawn / scale)[:, 0]
        return found.reshape(len(batch), samples, shape.prediction)

    def _run(self, lagged: Tensor, features: Tensor, static: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """What the head says of each step, and the state after the last."""
        told = static[:, None].expand(-1, lagged.shape[1], -1)
        out, state = self.lstm(torch.cat([lagged, features, told], -1), state)
        return self.head(self.drop(out)), state

    def _static(self, batch: Batch) -> Tensor:
        """What is the same in all steps: categories, and how large the series is."""
        cat = torch.from_numpy(batch.cat)
        parts = [embedding(cat[:, number]) for number, embedding in enumerate(self.embeddings)]
        return torch.cat([*parts, (_tensor(batch.scale).log() - math.log(self.shape.level))[:, None]], -1)


def _tensor(values: Any) -> Tensor:
    return torch.from_numpy(values)


def _repeated(one: Tensor, samples: int) -> Tensor:
    return one.repeat_interleave(samples, 0)
