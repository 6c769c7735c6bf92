"""Serving PCA: the coordinates of each row along the directions, the strongest last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.first_party import serve
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import Form
from algorithms.pca.directions import Components

FORM = Form(envelope="projections")


class Projection:
    """Components behind the protocol of serving."""

    def __init__(self, found: Components) -> None:
        self._found = found
        self.features = int(found.v.shape[0])

    def predict(self, rows: Any) -> Fields:
        """(x - mean) v."""
        dense = rows.toarray() if hasattr(rows, "toarray") else rows
        centred = dense if self._found.mean is None else dense - self._found.mean
        return {"projection": centred @ self._found.v}


def load(folder: Path) -> Projection:
    """The model of a folder; UserError when it is none."""
    try:
        found = ndarray_list.read(serve.content(folder))
    except ndarray_list.Malformed as error:
        raise UserError(f"'{serve.MODEL}' is {error}") from error
    if not isinstance(found, dict) or not {"v", "s"} <= found.keys() or found["v"].ndim != 2:
        raise UserError(f"'{serve.MODEL}' holds no arrays named v (features, components) and s (components)")
    mean = found.get("mean")
    return Projection(Components(found["v"], found["s"], None if mean is None else mean.reshape(1, -1)))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
