"""The model's file: a ZIP of MXNet's arrays and of what the network looks like. What Amazon's holds is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list, pytorch
from algorithms.common.faults import UserError
from algorithms.first_party import packed, serve
from algorithms.object2vec import shape


def write(network: Any, values: Mapping[str, Any]) -> bytes:
    """The file `model_algo-1`, of a network that was trained with these hyperparameters."""
    arrays = {f"arg:{name}": value.detach().numpy() for name, value in network.state_dict().items()}
    told = {name: str(value) for name, value in values.items()}
    meta = {"shape": network.shape.told(), "training_parameters": told}
    return packed.packed({"params": ndarray_list.write(arrays), "meta.json": meta})


def read(folder: Path) -> Any:
    """The network of a folder; UserError when it holds none."""
    torch = pytorch.loaded("Object2Vec")
    from algorithms.object2vec.network import Network

    members = packed.unpacked(folder)
    try:
        arrays = dict(ndarray_list.read(packed.member(members, "params")))
        with torch.device("meta"):
            network = Network(shape.remembered(json.loads(packed.member(members, "meta.json"))["shape"]))
        found = {str(name).removeprefix("arg:"): torch.from_numpy(value.copy()) for name, value in arrays.items()}
        network.load_state_dict(found, assign=True)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"'{serve.MODEL}' holds no pair of encoders: {type(error).__name__}: {said}") from error
    return network.eval().requires_grad_(False)
