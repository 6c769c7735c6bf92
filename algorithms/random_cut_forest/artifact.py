"""The file of a forest: MXNet NDArrays, as in the files of its neighbours, though nobody is known to open Amazon's."""

from __future__ import annotations

import numpy as np

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.first_party.serve import MODEL
from algorithms.random_cut_forest.forest import Forest

KINDS = {
    "roots": np.int32, "child": np.int32, "dimension": np.int32, "value": np.float32, "points": np.float32,
    "mass": np.int32,
}  # fmt: skip


def write(forest: Forest) -> bytes:
    """All that a forest consists of."""
    return ndarray_list.write({name: getattr(forest, name) for name in KINDS})


def read(content: bytes) -> Forest:
    """The forest; UserError when the file holds none, or one that would lead nowhere."""
    try:
        found = ndarray_list.read(content)
    except ndarray_list.Malformed as error:
        raise UserError(f"'{MODEL}' is {error}") from error
    if not isinstance(found, dict) or {name: array.dtype for name, array in found.items()} != KINDS:
        raise UserError(f"'{MODEL}' holds no forest: its arrays are not {', '.join(KINDS)}")
    forest = Forest(**{name: found[name] for name in KINDS})
    if not _leads_somewhere(forest):
        raise UserError(f"'{MODEL}' holds no forest: its nodes do not make up trees of equally many points")
    return forest


def _leads_somewhere(forest: Forest) -> bool:
    """Whether each node is a root or the child of one node before it, and the shapes agree."""
    cuts, leaves, trees = len(forest.child), len(forest.mass), len(forest.roots)
    shapes = (forest.child.shape, forest.dimension.shape, forest.value.shape, forest.points.shape[:1])
    if shapes != ((cuts, 2), (cuts,), (cuts,), (leaves,)) or forest.points.ndim != 2 or not trees:
        return False
    nodes = np.concatenate([forest.roots, forest.child.ravel()])
    ahead = np.where(forest.child < cuts, forest.child > np.arange(cuts)[:, None], True)
    inside = (forest.dimension >= 0) & (forest.dimension < forest.features)
    whole = bool(ahead.all() and inside.all() and (forest.mass > 0).all()) and forest.mass.sum() % trees == 0
    return whole and np.array_equal(np.sort(nodes), np.arange(cuts + leaves))
