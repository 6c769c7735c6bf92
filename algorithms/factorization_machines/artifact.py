"""The model as these images keep it: an MXNet module in a ZIP, of which `params` holds the arrays by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.factorization_machines import network
from algorithms.factorization_machines.machine import Machine
from algorithms.first_party import packed, serve


def write(machine: Machine, sparse: bool, values: Mapping[str, Any]) -> bytes:
    """The file `model_algo-1`, of a machine that was trained with these hyperparameters."""
    binary = values["predictor_type"] == "binary_classifier"
    arrays = network.arrays(machine, sparse)
    return packed.packed(
        {
            "symbol.json": network.symbol({name: value.shape for name, value in arrays.items()}, binary),
            "params": ndarray_list.write({f"arg:{name}": value for name, value in arrays.items()}),
            "meta.json": {"training_parameters": {name: str(value) for name, value in values.items()}},
        }
    )


def read(folder: Path) -> tuple[Machine, bool]:
    """The model of a folder, and whether it is a binary classifier; UserError when it is none."""
    members = packed.unpacked(folder)
    try:
        arrays = ndarray_list.read(packed.member(members, "params"))
        kind = json.loads(packed.member(members, "meta.json"))["training_parameters"]["predictor_type"]
        machine = network.machine({name.partition(":")[2]: value for name, value in dict(arrays).items()})
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{serve.MODEL}' holds no factorization machine: {error}") from error
    if machine.w1.shape != (len(machine.v), 1):
        raise UserError(
            f"'{serve.MODEL}' has {len(machine.w1)} linear weights, but factors of {len(machine.v)} features"
        )
    return machine, kind == "binary_classifier"
