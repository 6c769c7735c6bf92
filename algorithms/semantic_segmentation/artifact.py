"""The model: `model_best.params` in MXNet's file format, and the hyperparameters with which it was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError

if TYPE_CHECKING:
    from algorithms.semantic_segmentation.network import Segmenter

PARAMS, TOLD = "model_best.params", "hyperparams.json"
BACKBONE = "_backbone"
"""What the network stands on in truth: a job that names no backbone gets a small one."""


def write(folder: Path, network: Segmenter, told: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PARAMS).write_bytes(ndarray_list.write(network.arrays()))
    (folder / TOLD).write_text(json.dumps(told))


def read(members: Mapping[str, bytes], where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and hyperparameters among files by their names; UserError, which says where, when there are none."""
    for name in (TOLD, PARAMS):
        if name not in members:
            raise UserError(f"{where} has no file '{name}' (it has: {', '.join(sorted(members)) or 'nothing'}).")
    try:
        arrays, told = ndarray_list.read(members[PARAMS]), dict(json.loads(members[TOLD]))
        if not isinstance(arrays, dict):
            raise ValueError("its arrays have no names")
        if missing := {"algorithm", BACKBONE, "num_classes", "base_size"} - set(told):
            raise ValueError(f"'{TOLD}' does not say {', '.join(sorted(missing))}")
    except (ValueError, TypeError) as error:
        raise UserError(f"{where} holds no model of Semantic Segmentation: {error!r}") from error
    return arrays, told
