"""The distributions of a step: what they make of the network's numbers, their losses, and how they are drawn from.

Scales enter as in Salinas, Flunkert, Gasthaus (arXiv 1704.04110), section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch.nn.functional import softplus

Tensor = Any
LEAST = 1e-5


class Likelihood(Protocol):
    """`raw` (…, parameters) is what the network says, `scale` (…) that of the series, `generator` torch's."""

    parameters: int

    def loss(self, raw: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        """Of each step (…)."""
        ...

    def sample(self, raw: Tensor, scale: Tensor, generator: Any) -> Tensor:
        """A value for each step (…)."""
        ...


class Gaussian:
    """Any number; narrow tails."""

    parameters = 2

    def loss(self, raw: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        deviation = _positive(raw[..., 1]) * scale
        return ((target - raw[..., 0] * scale) / deviation) ** 2 / 2 + deviation.log() + math.log(2 * math.pi) / 2

    def sample(self, raw: Tensor, scale: Tensor, generator: Any) -> Tensor:
        return (raw[..., 0] + _positive(raw[..., 1]) * _normal(raw[..., 0], generator)) * scale


class StudentT:
    """Any number; tails as wide as they are learned to be, but with a variance."""

    parameters = 3

    def loss(self, raw: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        width, freedom = _positive(raw[..., 1]) * scale, 2 + _positive(raw[..., 2])
        off = (target - raw[..., 0] * scale) / width
        normal = torch.lgamma((freedom + 1) / 2) - torch.lgamma(freedom / 2) - (freedom * math.pi).log() / 2
        return (freedom + 1) / 2 * torch.log1p(off**2 / freedom) + width.log() - normal

    def sample(self, raw: Tensor, scale: Tensor, generator: Any) -> Tensor:
        freedom = 2 + _positive(raw[..., 2])
        spread = (_gamma(freedom / 2, generator) * 2 / freedom).clamp(min=LEAST).rsqrt()
        return (raw[..., 0] + _positive(raw[..., 1]) * _normal(raw[..., 0], generator) * spread) * scale


class NegativeBinomial:
    """Counts, by their mean and by how much more they vary than counts that come alone."""

    parameters = 2

    def loss(self, raw: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        mean, shape = self._both(raw, scale)
        odds = mean / shape
        said = torch.lgamma(target + shape) - torch.lgamma(target + 1) - torch.lgamma(shape)
        return shape * torch.log1p(odds) + target * (torch.log1p(odds) - odds.log()) - said

    def sample(self, raw: Tensor, scale: Tensor, generator: Any) -> Tensor:
        mean, shape = self._both(raw, scale)
        return torch.poisson(_gamma(shape, generator) * mean / shape, generator)

    def _both(self, raw: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        return _positive(raw[..., 0]) * scale, scale.sqrt() / _positive(raw[..., 1])


class Beta:
    """Numbers between 0 and 1."""

    parameters = 2

    def loss(self, raw: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        one, other = _positive(raw[..., 0]), _positive(raw[..., 1])
        inside = target.clamp(LEAST, 1 - LEAST)
        normal = torch.lgamma(one) + torch.lgamma(other) - torch.lgamma(one + other)
        return normal - (one - 1) * inside.log() - (other - 1) * torch.log1p(-inside)

    def sample(self, raw: Tensor, scale: Tensor, generator: Any) -> Tensor:
        one, other = _gamma(_positive(raw[..., 0]), generator), _gamma(_positive(raw[..., 1]), generator)
        return one / (one + other).clamp(min=1e-30)


class Deterministic:
    """One number, its absolute error the loss: all paths are the same."""

    parameters = 1

    def loss(self, raw: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        return (target - raw[..., 0] * scale).abs()

    def sample(self, raw: Tensor, scale: Tensor, generator: Any) -> Tensor:
        return raw[..., 0] * scale


LIKELIHOODS: Mapping[str, Likelihood] = {
    "gaussian": Gaussian(),
    "beta": Beta(),
    "negative-binomial": NegativeBinomial(),
    "student-T": StudentT(),
    "deterministic-L1": Deterministic(),
}


def _positive(raw: Tensor) -> Tensor:
    return softplus(raw) + LEAST


def _normal(like: Tensor, generator: Any) -> Tensor:
    return torch.randn(like.shape, generator=generator)


def _gamma(shape: Tensor, generator: Any) -> Tensor:
    return torch._standard_gamma(shape, generator)
