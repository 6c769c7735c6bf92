"""A network as MXNet's JSON (`symbol.json`), which `mx.sym.load` and `mx.mod.Module.load` read beside its arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Node = tuple[str, str, Sequence[str], Mapping[str, str]]
"""Operator (`null`: an input), name, names of inputs, attributes."""


def graph(nodes: Sequence[Node], shapes: Mapping[str, Sequence[int]], heads: Sequence[str]) -> dict[str, Any]:
    """Each node comes after its inputs; `shapes` are of the arrays among them, `heads` what the network gives."""
    places = {name: number for number, (_, name, _, _) in enumerate(nodes)}
    return {
        "nodes": [
            {"op": op, "name": name, "inputs": [[places[one], 0, 0] for one in inputs]}
            | _attributes(dict(attributes) | ({"__shape__": str(tuple(shapes[name]))} if name in shapes else {}))
            for op, name, inputs, attributes in nodes
        ],
        "arg_nodes": [number for number, (op, *_) in enumerate(nodes) if op == "null"],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": [[places[head], 0, 0] for head in heads],
        "attrs": {"mxnet_version": ["int", 10901]},
    }


def _attributes(found: dict[str, str]) -> dict[str, Any]:
    return {"attrs": found} if found else {}
