"""A machine as an MXNet network: users load the artifact with `mx.module.Module.load` and take its arrays by name.

Names and shapes are those that their programs ask for (docs/quirks.md): one network for sparse records, one for dense.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from algorithms.factorization_machines.machine import Machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

Node = tuple[str, str, Sequence[str], Mapping[str, str]]
"""Operator (`null`: an input), name, names of inputs, attributes."""
SPARSE: Sequence[Node] = (
    ("null", "data", (), {}),
    ("null", "w1_weight", (), {}),
    ("dot", "linear", ("data", "w1_weight"), {}),
    ("null", "w0_weight", (), {}),
    ("broadcast_add", "line", ("linear", "w0_weight"), {}),
    ("null", "v", (), {}),
    ("dot", "sums", ("data", "v"), {}),
    ("square", "squares", ("data",), {}),
    ("square", "v_squares", ("v",), {}),
    ("dot", "own", ("squares", "v_squares"), {}),
)
DENSE: Sequence[Node] = (
    ("null", "data", (), {}),
    ("null", "Linear_Plus_Bias_weight", (), {}),
    ("null", "Linear_Plus_Bias_bias", (), {}),
    ("FullyConnected", "line", ("data", "Linear_Plus_Bias_weight", "Linear_Plus_Bias_bias"), {"num_hidden": "1"}),
    ("null", "v", (), {}),
    ("dot", "sums", ("data", "v"), {"transpose_b": "True"}),
    ("square", "squares", ("data",), {}),
    ("square", "v_squares", ("v",), {}),
    ("dot", "own", ("squares", "v_squares"), {"transpose_b": "True"}),
)
LAST: Sequence[Node] = (
    ("square", "together", ("sums",), {}),
    ("elemwise_sub", "pairs", ("together", "own"), {}),
    ("sum", "twice", ("pairs",), {"axis": "1", "keepdims": "True"}),
    ("_mul_scalar", "interactions", ("twice",), {"scalar": "0.5"}),
    ("elemwise_add", "score", ("line", "interactions"), {}),
    ("null", "out_label", (), {}),
)


def symbol(shapes: Mapping[str, Sequence[int]], binary: bool) -> dict[str, Any]:
    """The graph, as MXNet's JSON, of arrays with these shapes."""
    last = "LogisticRegressionOutput" if binary else "LinearRegressionOutput"
    first = DENSE if "Linear_Plus_Bias_weight" in shapes else SPARSE
    nodes = [*first, *LAST, (last, "out", ("score", "out_label"), {})]
    places = {name: number for number, (_, name, _, _) in enumerate(nodes)}
    return {
        "nodes": [
            {"op": op, "name": name, "inputs": [[places[one], 0, 0] for one in inputs]}
            | _attributes({"__shape__": str(tuple(shapes[name]))} if name in shapes else attributes)
            for op, name, inputs, attributes in nodes
        ],
        "arg_nodes": [number for number, (op, *_) in enumerate(nodes) if op == "null"],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": [[len(nodes) - 1, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    }


def _attributes(found: Mapping[str, str]) -> dict[str, Any]:
    return {"attrs": found} if found else {}


def arrays(machine: Machine, sparse: bool) -> dict[str, NDArray[Any]]:
    """The arrays of the network by name."""
    if sparse:
        return {"w0_weight": machine.w0, "w1_weight": machine.w1, "v": machine.v}
    return {
        "Linear_Plus_Bias_bias": machine.w0[0],
        "Linear_Plus_Bias_weight": machine.w1.T,
        "v": machine.v.T,
    }


def machine(found: Mapping[str, NDArray[Any]]) -> Machine:
    """The machine that such arrays are of; KeyError with the name of one that is not there."""
    if "Linear_Plus_Bias_weight" in found:
        weight, v = found["Linear_Plus_Bias_weight"].T, found["v"].T
        return Machine(found["Linear_Plus_Bias_bias"].reshape(1, 1), weight.copy(), v.copy())
    return Machine(found["w0_weight"].reshape(1, 1), found["w1_weight"].reshape(-1, 1), found["v"])
