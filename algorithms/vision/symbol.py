"""Networks as MXNet describes them: nodes with operators, names, inputs and attributes, written and read as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from algorithms.common.mxnet_graph import Node, graph

EPS, MOMENTUM = 2e-5, 0.9
"""Of batch normalization, as MXNet's example networks have them."""
INPUT = "null"
DATA = "data"


@dataclass
class Symbol:
    """Nodes in an order in which each comes after its inputs, and the shapes of the arrays among them."""

    nodes: list[Node] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    """Channels of what a node gives."""

    @classmethod
    def of_pictures(cls, channels: int) -> Symbol:
        """With the input `data`."""
        return cls([(INPUT, DATA, (), {})], {}, {DATA: channels})

    def convolution(self, name: str, below: str, filters: int, kernel: int, stride: int = 1) -> str:
        """Without a bias, padded so that the size stays but for the stride."""
        self._array(f"{name}_weight", (filters, self.widths[below], kernel, kernel))
        attributes = {
            "kernel": _pair(kernel), "stride": _pair(stride), "pad": _pair(kernel // 2), "num_filter": str(filters),
            "no_bias": "True",
        }  # fmt: skip
        return self._node("Convolution", name, (below, f"{name}_weight"), attributes, filters)

    def batch_norm(self, name: str, below: str, fix_gamma: bool = False) -> str:
        own = [f"{name}_{part}" for part in ("gamma", "beta", "moving_mean", "moving_var")]
        for one in own:
            self._array(one, (self.widths[below],))
        attributes = {"eps": repr(EPS), "momentum": repr(MOMENTUM), "fix_gamma": str(fix_gamma)}
        return self._node("BatchNorm", name, (below, *own), attributes)

    def relu(self, name: str, below: str) -> str:
        return self._node("Activation", name, (below,), {"act_type": "relu"})

    def max_pool(self, name: str, below: str, kernel: int, stride: int) -> str:
        attributes = {
            "kernel": _pair(kernel),
            "stride": _pair(stride),
            "pad": _pair(kernel // 2),
            "pool_type": "max",
        }
        return self._node("Pooling", name, (below,), attributes)

    def mean(self, name: str, below: str) -> str:
        """Over all places of a picture."""
        return self._node("Pooling", name, (below,), {"global_pool": "True", "kernel": "(7, 7)", "pool_type": "avg"})

    def connected(self, name: str, below: str, count: int) -> str:
        flat = self._node("Flatten", f"{name}_flatten", (below,), {})
        self._array(f"{name}_weight", (count, self.widths[below]))
        self._array(f"{name}_bias", (count,))
        inputs = (flat, f"{name}_weight", f"{name}_bias")
        return self._node("FullyConnected", name, inputs, {"num_hidden": str(count)}, count)

    def sum(self, name: str, one: str, other: str) -> str:
        return self._node("elemwise_add", name, (one, other), {})

    def output(self, operator: str, name: str, below: str) -> str:
        """What gives chances, and the loss in training."""
        self.nodes.append((INPUT, f"{name}_label", (), {}))
        return self._node(operator, name, (below, f"{name}_label"), {})

    def json(self, more: Mapping[str, int]) -> str:
        """As MXNet has it, with further numbers among its attributes."""
        told = graph(self.nodes, self.shapes, (self.nodes[-1][1],))
        told["attrs"] |= {name: ["int", number] for name, number in more.items()}
        return json.dumps(told, indent=2)

    def _array(self, name: str, shape: tuple[int, ...]) -> None:
        self.nodes.append((INPUT, name, (), {}))
        self.shapes[name] = shape

    def _node(
        self, operator: str, name: str, inputs: Sequence[str], attributes: Mapping[str, str], width: int = 0
    ) -> str:
        self.nodes.append((operator, name, inputs, attributes))
        self.widths[name] = width or self.widths[inputs[0]]
        return name


def _pair(size: int) -> str:
    return f"({size}, {size})"


def read(text: str) -> tuple[list[Node], dict[str, Any]]:
    """The nodes of a JSON, and its own attributes; ValueError when it is none of MXNet's."""
    try:
        told = json.loads(text)
        names = [str(node["name"]) for node in told["nodes"]]
        nodes = [
            (str(node["op"]), str(node["name"]), [names[number] for number, *_ in node["inputs"]],
             dict(node.get("attrs") or node.get("attr") or node.get("param") or {}))
            for node in told["nodes"]
        ]  # fmt: skip
        return nodes, dict(told.get("attrs") or {})
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"it is no network of MXNet's: {type(error).__name__}: {error}") from error
