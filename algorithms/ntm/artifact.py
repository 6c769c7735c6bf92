"""The model as the image keeps it: an MXNet module in a ZIP. Users look for `arg:projection_weight` in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.common.mxnet_graph import Node, graph
from algorithms.first_party import packed, serve
from algorithms.ntm.layers import ACTIVATIONS, EPS, MOMENTUM
from algorithms.ntm.network import PROJECTION, Network, Shape

HEADS = ("topic_weights", "words", "log_sigma")


def write(network: Network, values: Mapping[str, Any]) -> bytes:
    """The file `model_algo-1`, of a network that was trained with these hyperparameters."""
    named = {f"arg:{name}": value for name, value in network.parameters.items()}
    named |= {f"aux:{name}": value for name, value in network.moving.items()}
    layers = ",".join(str(size) for size in network.shape.layers)
    told = {name: str(value) for name, value in values.items()} | {"encoder_layers": layers}
    return packed.packed(
        {
            "symbol.json": graph(list(_nodes(network.shape)), network.shape.arrays(), HEADS),
            "params": ndarray_list.write(named),
            "meta.json": {"training_parameters": told},
        }
    )


def read(folder: Path) -> Network:
    """The network of a folder; UserError when it holds none."""
    members = packed.unpacked(folder)
    try:
        arrays = dict(ndarray_list.read(packed.member(members, "params")))
        told = json.loads(packed.member(members, "meta.json"))["training_parameters"]
        named: dict[str, dict[str, Any]] = {"arg": {}, "aux": {}}
        for name, value in arrays.items():
            kind, _, own = str(name).partition(":")
            named[kind][own] = value
        shape = _shape(named["arg"], str(told["encoder_layers_activation"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{serve.MODEL}' holds no topic model: {error!r}") from error
    _demand(named["arg"] | named["aux"], shape.arrays())
    return Network(shape, named["arg"], named["aux"])


def _shape(parameters: Mapping[str, Any], activation: str) -> Shape:
    if activation not in ACTIVATIONS:
        raise ValueError(f"encoder_layers_activation {activation!r}")
    layers = []
    while f"encoder_{len(layers)}_weight" in parameters:
        layers.append(int(parameters[f"encoder_{len(layers)}_weight"].shape[0]))
    words, topics = parameters[PROJECTION].shape
    return Shape(int(words), tuple(layers), int(topics), activation, "encoder_0_bn_gamma" in parameters)


def _demand(found: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in wanted.items():
        if name not in found or found[name].shape != shape:
            has = found[name].shape if name in found else "none"
            raise UserError(f"'{serve.MODEL}' is to have an array '{name}' {shape}, and has {has}")


def _nodes(shape: Shape) -> Iterator[Node]:
    """From counts of words to the weights of topics, and from these to the chances of words."""
    yield ("null", "data", (), {})
    below = "data"
    for number, size in enumerate(shape.layers):
        name = f"encoder_{number}"
        yield from _connected(name, below, size)
        below = name
        if shape.batch_norm:
            own = [f"{name}_bn_{part}" for part in ("gamma", "beta", "moving_mean", "moving_var")]
            yield from (("null", one, (), {}) for one in own)
            yield ("BatchNorm", f"{name}_bn", (below, *own),
                   {"eps": str(EPS), "momentum": str(MOMENTUM), "fix_gamma": "False"})  # fmt: skip
            below = f"{name}_bn"
        yield ("Activation", f"{name}_act", (below,), {"act_type": shape.activation})
        below = f"{name}_act"
    yield from _connected("mean", below, shape.topics)
    yield from _connected("log_sigma", below, shape.topics)
    yield ("softmax", "topic_weights", ("mean",), {})
    yield from _connected("projection", "topic_weights", shape.words)
    yield ("softmax", "words", ("projection",), {})


def _connected(name: str, below: str, size: int) -> Iterator[Node]:
    yield ("null", f"{name}_weight", (), {})
    yield ("null", f"{name}_bias", (), {})
    yield ("FullyConnected", name, (below, f"{name}_weight", f"{name}_bias"), {"num_hidden": str(size)})
