"""The model as files: what was learned as MXNet's arrays by torch's names, what it was learned for as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list, pytorch
from algorithms.common.faults import UserError
from algorithms.deepar.frequency import Frequency
from algorithms.deepar.hyperparameters import LIKELIHOODS
from algorithms.deepar.windows import Shape
from algorithms.first_party.serve import content

PARAMETERS, CONFIGURATION = "model_algo-1-0000.params", "model_algo-1-config.json"


def write(shape: Shape, learned: Mapping[str, Any]) -> dict[str, bytes]:
    """The files by name, of a network's state dictionary."""
    arrays = {f"arg:{name}": value.numpy() for name, value in learned.items()}
    told = asdict(shape) | {"frequency": str(shape.frequency)}
    return {
        PARAMETERS: ndarray_list.write(arrays),
        CONFIGURATION: json.dumps(told, indent=1).encode(),
    }


def read(folder: Path) -> Any:
    """The network of a folder; UserError when it holds none, or torch is missing."""
    data, told = content(folder, PARAMETERS), content(folder, CONFIGURATION)
    torch = pytorch.loaded("DeepAR")
    torch.set_num_threads(1)  # The products of such networks are small.

    from algorithms.deepar.network import Network

    try:
        network = Network(_shape(json.loads(told)))
        named = dict(ndarray_list.read(data))
        learned = {str(name).partition(":")[2]: torch.tensor(value) for name, value in named.items()}
        network.load_state_dict(learned)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"'{PARAMETERS}' and '{CONFIGURATION}' hold no model of DeepAR: {error}") from error
    return network.eval()


def _shape(told: Mapping[str, Any]) -> Shape:
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    if set(known) != {field.name for field in fields(Shape)} or known["likelihood"] not in LIKELIHOODS:
        raise ValueError("its members are others")
    return Shape(**known | {"frequency": Frequency.parse(known["frequency"])})
