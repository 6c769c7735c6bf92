"""A network of MXNet's nodes, computed and trained by PyTorch. Imports it: to be imported when it is needed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as compute
from torch import Tensor

from algorithms.common.mxnet_graph import Node
from algorithms.vision.symbol import DATA, EPS, INPUT, MOMENTUM, Symbol

MOVING = ("_moving_mean", "_moving_var")
OUTPUTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "SoftmaxOutput": lambda scores: scores.softmax(dim=1),
    "softmax": lambda scores: scores.softmax(dim=-1),
    "LogisticRegressionOutput": torch.sigmoid,
}
"""Operators that make chances of scores."""


class Unknown(ValueError):
    """A network that is not computed here; says why."""


class Network:
    """Nodes with the values of their arrays: `parameters` are learned, `moving` belong to batch normalization."""

    def __init__(self, nodes: Sequence[Node], arrays: Mapping[str, Any]) -> None:
        self.nodes = nodes
        wanted = [name for op, name, _, _ in nodes if op == INPUT and name != DATA and not name.endswith("_label")]
        if missing := [name for name in wanted if name not in arrays]:
            raise Unknown(f"there is no array '{missing[0]}'")
        if unknown := [op for op, *_ in nodes if op not in OPERATORS and op != INPUT and op not in OUTPUTS]:
            raise Unknown(f"the operator {unknown[0]} is not computed here")
        values = {name: torch.tensor(arrays[name], dtype=torch.float32) for name in wanted}
        self.moving = {name: value for name, value in values.items() if name.endswith(MOVING)}
        self.parameters = {name: value for name, value in values.items() if name not in self.moving}

    @classmethod
    def begin(cls, symbol: Symbol, seed: int) -> Network:
        """With normal weights of variance 2 by what comes in (He et al., 2015), as the image's initializer has them."""
        draw = torch.Generator().manual_seed(seed)
        arrays = {}
        for name, shape in symbol.shapes.items():
            if name.endswith("_weight"):
                spread = (2 / (torch.Size(shape).numel() / shape[0])) ** 0.5
                arrays[name] = torch.randn(shape, generator=draw).mul_(spread).numpy()
            else:
                arrays[name] = torch.full(shape, float(name.endswith(("_gamma", "_moving_var")))).numpy()
        return cls(symbol.nodes, arrays)

    def put(self, arrays: Mapping[str, Any]) -> None:
        """Replace all values by those of `arrays()`; ValueError when one is missing or has another shape."""
        there = {name.partition(":")[2]: value for name, value in arrays.items()}
        for name, value in (self.parameters | self.moving).items():
            if name not in there or tuple(there[name].shape) != tuple(value.shape):
                raise ValueError(f"there is no array '{name}' of {tuple(value.shape)}")
            with torch.no_grad():
                value.copy_(torch.tensor(there[name], dtype=torch.float32))

    def arrays(self) -> dict[str, Any]:
        """All of them as MXNet names them in its files, as copies."""
        learned = {f"arg:{name}": value.detach().numpy().copy() for name, value in self.parameters.items()}
        return learned | {f"aux:{name}": value.numpy().copy() for name, value in self.moving.items()}

    def learned(self) -> dict[str, Tensor]:
        """The parameters that are trained: a fixed gamma is not."""
        fixed = {
            inputs[1]
            for op, _, inputs, told in self.nodes
            if op == "BatchNorm" and _true(told.get("fix_gamma", "True"))
        }
        return {name: value for name, value in self.parameters.items() if name not in fixed}

    def scores(self, pixels: Tensor, training: bool = False) -> Tensor:
        """What the last layer gives, before chances are made of it; pixels are (n, channels, height, width)."""
        values = {DATA: pixels, **self.parameters, **self.moving}
        last = pixels
        for op, name, inputs, told in self.nodes:
            if op in OPERATORS:
                given = [values[one] for one in inputs]
                last = values[name] = OPERATORS[op](given, told, training)
            elif op in OUTPUTS:
                last = values[name] = values[inputs[0]]
        return last

    def chances(self, pixels: Tensor) -> Tensor:
        """What the network answers."""
        with torch.inference_mode():
            found = self.scores(pixels)
            make = OUTPUTS.get(self.nodes[-1][0])
            return make(found) if make else found


def _true(text: str) -> bool:
    return str(text).lower() in ("true", "1")


def _pair(told: Mapping[str, str], name: str, default: int) -> tuple[int, ...]:
    return tuple(ast.literal_eval(told[name])) if told.get(name) not in (None, "()") else (default, default)


def _convolution(given: Sequence[Tensor], told: Mapping[str, str], training: bool) -> Tensor:
    bias = None if _true(told.get("no_bias", "False")) else given[2]
    stride, pad, spread = _pair(told, "stride", 1), _pair(told, "pad", 0), _pair(told, "dilate", 1)
    return compute.conv2d(given[0], given[1], bias, stride, pad, spread, int(told.get("num_group", 1)))


def _batch_norm(given: Sequence[Tensor], told: Mapping[str, str], training: bool) -> Tensor:
    """By the batch in training, which moves the moving values; one single number has no variance to go by."""
    below, gamma, beta, mean, variance = given
    fixed = _true(told.get("fix_gamma", "True"))
    by_batch = training and below.numel() > below.shape[1] and not _true(told.get("use_global_stats", "False"))
    moved = 1 - float(told.get("momentum", MOMENTUM))
    scale = torch.ones_like(gamma) if fixed else gamma
    return compute.batch_norm(below, mean, variance, scale, beta, by_batch, moved, float(told.get("eps", EPS)))


def _activation(given: Sequence[Tensor], told: Mapping[str, str], training: bool) -> Tensor:
    kinds = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    return kinds[told["act_type"]](given[0])


def _pooling(given: Sequence[Tensor], told: Mapping[str, str], training: bool) -> Tensor:
    largest = told.get("pool_type", "max") == "max"
    if _true(told.get("global_pool", "False")):
        return given[0].amax(dim=(2, 3), keepdim=True) if largest else given[0].mean(dim=(2, 3), keepdim=True)
    kernel = _pair(told, "kernel", 1)
    stride, pad = _pair(told, "stride", 1), _pair(told, "pad", 0)
    up = told.get("pooling_convention", "valid") == "full"
    if largest:
        return compute.max_pool2d(given[0], kernel, stride, pad, ceil_mode=up)
    return compute.avg_pool2d(given[0], kernel, stride, pad, ceil_mode=up)


def _connected(given: Sequence[Tensor], told: Mapping[str, str], training: bool) -> Tensor:
    bias = None if _true(told.get("no_bias", "False")) else given[2]
    return compute.linear(given[0].flatten(1), given[1], bias)


Operator = Callable[[Sequence[Tensor], Mapping[str, str], bool], Tensor]
OPERATORS: Mapping[str, Operator] = {
    "Convolution": _convolution,
    "BatchNorm": _batch_norm,
    "Activation": _activation,
    "Pooling": _pooling,
    "Flatten": lambda given, told, training: given[0].flatten(1),
    "FullyConnected": _connected,
    "elemwise_add": lambda given, told, training: given[0] + given[1],
    "_Plus": lambda given, told, training: given[0] + given[1],
    "_plus": lambda given, told, training: given[0] + given[1],
    "identity": lambda given, told, training: given[0],
    "_copy": lambda given, told, training: given[0],
}
