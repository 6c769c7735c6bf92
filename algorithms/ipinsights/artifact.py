"""The model as a ZIP of its arrays; how Amazon's image keeps it is not documented, so the form is ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.first_party import packed, serve
from algorithms.ipinsights.encoders import OCTETS, VALUES, Encoders


def write(found: Encoders, values: Mapping[str, Any]) -> bytes:
    """The file `model_algo-1`, of a model that was trained with these hyperparameters."""
    meta = {"training_parameters": {name: str(value) for name, value in values.items()}}
    return packed.packed({"params": ndarray_list.write(found.arrays), "meta.json": meta})


def read(folder: Path) -> Encoders:
    """The model of a folder; UserError when it is none."""
    try:
        arrays = ndarray_list.read(packed.member(packed.unpacked(folder), "params"))
    except ndarray_list.Malformed as error:
        raise UserError(f"'{serve.MODEL}' is {error}") from error
    found = Encoders(arrays if isinstance(arrays, dict) else {})
    if not _fits(found):
        raise UserError(f"'{serve.MODEL}' holds no arrays of IP Insights (entities, octets, weight0, bias0 …).")
    return found


def _fits(found: Encoders) -> bool:
    arrays = found.arrays
    if not {"entities", "octets"} <= arrays.keys() or arrays["entities"].ndim != 2:
        return False
    width = arrays["entities"].shape[1]
    shapes = {"octets": (OCTETS * VALUES, width)}
    for layer in range(found.layers):
        shapes |= {f"weight{layer}": (width, width), f"bias{layer}": (width,)}
    return all(name in arrays and arrays[name].shape == shape for name, shape in shapes.items())
