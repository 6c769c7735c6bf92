"""The model as a ZIP of its arrays; how Amazon's image keeps it is not documented, so the form is ours."""

from __future__ import annotations

from pathlib import Path

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.first_party import packed, serve
from algorithms.ipinsights.encoders import Encoders


def write(found: Encoders) -> bytes:
    """The file `model_algo-1`."""
    arrays = {"entities": found.entities}
    arrays |= {f"weight{number}": weight for number, weight in enumerate(found.weights)}
    arrays |= {f"bias{number}": bias for number, bias in enumerate(found.biases)}
    meta = {"num_entity_vectors": len(found.entities), "vector_dim": found.entities.shape[1]}
    return packed.packed({"params": ndarray_list.write(arrays), "meta.json": meta})


def read(folder: Path) -> Encoders:
    """The model of a folder; UserError when it is none."""
    try:
        arrays = dict(ndarray_list.read(packed.member(packed.unpacked(folder), "params")))
        layers = range(sum(name.startswith("weight") for name in arrays))
        weights = [arrays[f"weight{number}"] for number in layers]
        return Encoders(arrays["entities"], weights, [arrays[f"bias{number}"] for number in layers])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{serve.MODEL}' holds no model of IP Insights: {error}") from error
