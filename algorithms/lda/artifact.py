"""The model as the image keeps it: the arrays alpha (K,) and beta (K, V), which users load, change and save again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.first_party import serve
from algorithms.lda.topics import Topics


def write(topics: Topics) -> bytes:
    """The file `model_algo-1`."""
    return ndarray_list.write([topics.alpha.astype(np.float32), topics.beta.astype(np.float32)])


def read(folder: Path) -> Topics:
    """The model of a folder; UserError when it is none."""
    try:
        found = ndarray_list.read(serve.content(folder))
    except ndarray_list.Malformed as error:
        raise UserError(f"'{serve.MODEL}' is {error}") from error
    arrays = list(found.values()) if isinstance(found, dict) else found
    shapes = [array.shape for array in arrays]
    if len(arrays) != 2 or arrays[1].ndim != 2 or arrays[0].size != len(arrays[1]):
        raise UserError(f"'{serve.MODEL}' holds no alpha (K,) and beta (K, V), but arrays of {shapes}")
    alpha, beta = arrays[0].reshape(-1).astype(np.float64), arrays[1].astype(np.float64)
    if not (alpha > 0).all() or not (beta >= 0).all():
        raise UserError(f"'{serve.MODEL}' has an alpha that is not positive, or a negative beta")
    return Topics(alpha, beta)
