"""Serving K-Means: the nearest centre and the Euclidean distance to it, both as floats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.common.nearest import Vectors
from algorithms.first_party import serve
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import Form

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORM = Form()


class Clusters:
    """Centres (k, features)."""

    def __init__(self, found: NDArray[np.float32]) -> None:
        self._centres = Vectors(found)
        self.features = int(found.shape[1])

    def predict(self, rows: Any) -> Fields:
        """Closest cluster and distance, of each row."""
        dense = rows.toarray() if hasattr(rows, "toarray") else rows
        squared, closest = self._centres.search(dense, 1)
        return {"closest_cluster": closest[:, 0].astype(np.float32), "distance_to_cluster": np.sqrt(squared[:, 0])}


def load(folder: Path) -> Clusters:
    """The model of a folder; UserError when it is none: one array (k, features), without a name or with any."""
    try:
        found = ndarray_list.read(serve.content(folder))
    except ndarray_list.Malformed as error:
        raise UserError(f"'{serve.MODEL}' is {error}") from error
    arrays = list(found.values()) if isinstance(found, dict) else found
    if len(arrays) != 1 or arrays[0].ndim != 2:
        raise UserError(f"'{serve.MODEL}' holds no array of centres (k, features)")
    return Clusters(arrays[0].astype(np.float32))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
