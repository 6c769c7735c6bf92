"""The model as these images keep it: an MXNet module in a ZIP, of which `params` holds the arrays by name."""

from __future__ import annotations

import json
from pathlib import Path

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.factorization_machines.machine import Machine
from algorithms.first_party import packed, serve

PARAMETERS = {"w0_weight": "w0", "w1_weight": "w1", "v": "v"}


def write(machine: Machine, binary: bool) -> bytes:
    """The file `model_algo-1`."""
    arrays = {f"arg:{name}": getattr(machine, own) for name, own in PARAMETERS.items()}
    width, factors = machine.v.shape
    return packed.packed(
        {
            "symbol.json": _symbol(),
            "params": ndarray_list.write(arrays),
            "meta.json": {
                "feature_dim": width,
                "num_factors": factors,
                "predictor_type": "binary_classifier" if binary else "regressor",
            },
        }
    )


def read(folder: Path) -> tuple[Machine, bool]:
    """The model of a folder, and whether it is a binary classifier; UserError when it is none."""
    members = packed.unpacked(folder)
    try:
        arrays = ndarray_list.read(packed.member(members, "params"))
        kind = json.loads(packed.member(members, "meta.json"))["predictor_type"]
        named = {name.partition(":")[2]: value for name, value in dict(arrays).items()}
        machine = Machine(**{own: named[name].copy() for name, own in PARAMETERS.items()})
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{serve.MODEL}' holds no factorization machine: {error}") from error
    return machine, kind == "binary_classifier"


def _symbol() -> dict[str, object]:
    """The inputs of the network by name; what it computes of them is `Machine.scores`."""
    names = ["data", *PARAMETERS]
    nodes = [{"op": "null", "name": name, "inputs": []} for name in names]
    return {"nodes": nodes, "arg_nodes": list(range(len(names))), "heads": []}
