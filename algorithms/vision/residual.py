"""Parts of residual networks. Imports PyTorch: to be imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as compute
from torch import Tensor, nn


class Norm(nn.BatchNorm2d):
    """By the batch, but for a batch of one number, which has no variance."""

    def forward(self, below: Tensor) -> Tensor:
        if self.training and below.numel() == below.shape[1]:
            return compute.batch_norm(
                below, self.running_mean, self.running_var, self.weight, self.bias, False, 0, self.eps
            )
        return super().forward(below)


def convolved(before: int, after: int, kernel: int = 3, stride: int = 1, spread: int = 1) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, and batch normalization."""
    pad = kernel // 2 * spread
    return nn.Sequential(nn.Conv2d(before, after, kernel, stride, pad, spread, bias=False), Norm(after))


def active(before: int, after: int, kernel: int = 3, stride: int = 1, spread: int = 1) -> nn.Sequential:
    """The same, and what is positive of it."""
    return nn.Sequential(*convolved(before, after, kernel, stride, spread), nn.ReLU())


class Unit(nn.Module):
    """A residual unit (He et al., CVPR 2016): `squeezed`, it works in a quarter of the channels that it gives."""

    def __init__(self, before: int, width: int, stride: int, spread: int, squeezed: bool) -> None:
        super().__init__()
        after = width * 4 if squeezed else width
        parts = [active(before, width, 3, stride, spread), convolved(width, width, 3, 1, spread)]
        if squeezed:
            parts = [
                active(before, width, 1), active(width, width, 3, stride, spread), convolved(width, after, 1)
            ]  # fmt: skip
        self.added = nn.Sequential(*parts)
        self.kept = nn.Identity() if before == after and stride == 1 else convolved(before, after, 1, stride)

    def forward(self, below: Tensor) -> Tensor:
        return torch.relu(self.added(below) + self.kept(below))


class Named(nn.Module):
    """A network whose values are written and read by name."""

    def arrays(self) -> dict[str, Any]:
        """All values by name, as copies."""
        told = {name: value for name, value in self.state_dict().items() if not name.endswith("num_batches_tracked")}
        return {name: value.numpy().copy() for name, value in told.items()}

    def put(self, arrays: Mapping[str, Any], skipped: tuple[str, ...] = ()) -> None:
        """Take values over, but those whose names begin so; ValueError when one is missing or has another shape."""
        for name, value in self.state_dict().items():
            if name.endswith("num_batches_tracked") or name.startswith(skipped or (" ",)):
                continue
            if name not in arrays or tuple(arrays[name].shape) != tuple(value.shape):
                found = "none" if name not in arrays else arrays[name].shape
                raise ValueError(f"of '{name}' it has {found}, and {tuple(value.shape)} is needed")
            value.copy_(torch.tensor(arrays[name]))
