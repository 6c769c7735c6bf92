"""Indices of vectors: the exact one by numpy, the approximate ones by faiss where it is installed.

Distances are those of faiss: squared Euclidean ones, smallest first, or inner products, largest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from algorithms.common.faults import UserError
from algorithms.common.nearest import Vectors
from algorithms.knn import flat_file
from algorithms.knn.hyperparameters import FLAT, IVF_PQ

if TYPE_CHECKING:
    from numpy.typing import NDArray

REMEDY = "pip install 'sagelet[knn]'"
PROBES = 5
"""Lists of an IVF index that a search visits: `_faiss_index_nprobe` in the configuration of real jobs."""

Found = tuple["NDArray[np.float32]", "NDArray[np.int64]"]


class Index(Protocol):
    """Vectors that can be searched."""

    width: int

    def search(self, rows: NDArray[np.float32], k: int) -> Found:
        """Distances (n, k) and positions (n, k) of the nearest."""
        ...

    def content(self) -> bytes:
        """faiss's file of it."""
        ...


class Flat:
    """All vectors (n, d), compared one by one; of equal ones the first is nearer."""

    def __init__(self, vectors: NDArray[np.float32], metric: bytes) -> None:
        self._vectors, self._inner = np.ascontiguousarray(vectors, np.float32), metric == flat_file.INNER_PRODUCT
        self._compared = Vectors(self._vectors, self._inner)
        self.width = int(vectors.shape[1])

    def search(self, rows: NDArray[np.float32], k: int) -> Found:
        found, near = self._compared.search(rows, k)
        return (-found if self._inner else found), near

    def content(self) -> bytes:
        return flat_file.write(self._vectors, flat_file.INNER_PRODUCT if self._inner else flat_file.L2)


class Faiss:
    """An index of faiss's own."""

    def __init__(self, index: Any) -> None:
        self._index = index
        if hasattr(index, "nprobe"):
            index.nprobe = PROBES
        self.width = int(index.d)

    def search(self, rows: NDArray[np.float32], k: int) -> Found:
        distances, positions = self._index.search(np.ascontiguousarray(rows, np.float32), k)
        return distances, positions

    def content(self) -> bytes:
        return bytes(faiss().serialize_index(self._index).tobytes())


def build(vectors: NDArray[np.float32], values: Mapping[str, Any]) -> Index:
    """The index that the hyperparameters ask for."""
    kind, inner = values["index_type"], values["index_metric"] != "L2"
    if kind == FLAT:
        return Flat(vectors, flat_file.INNER_PRODUCT if inner else flat_file.L2)
    library = faiss(kind)
    count, width = vectors.shape
    lists = values["faiss_index_ivf_nlists"]
    lists = max(1, min(count, round(values["sample_size"] ** 0.5) if lists == "auto" else lists))
    metric = library.METRIC_INNER_PRODUCT if inner else library.METRIC_L2
    coarse = library.IndexFlatIP(width) if inner else library.IndexFlatL2(width)
    if kind == IVF_PQ:
        bits = min(8, max(1, count.bit_length() - 1))
        index = library.IndexIVFPQ(coarse, width, lists, int(values["faiss_index_pq_m"]), bits, metric)
    else:
        index = library.IndexIVFFlat(coarse, width, lists, metric)
    index.train(vectors)
    index.add(vectors)
    index.own_fields = True
    coarse.this.disown()
    return Faiss(index)


def opened(content: bytes) -> Index:
    """The index of a file; UserError when it is none, or needs faiss and there is none."""
    if flat_file.is_flat(content):
        try:
            return Flat(*flat_file.read(content))
        except ValueError as error:
            raise UserError(f"The model's index cannot be read: {error}") from error
    library = faiss("of the model")
    library.omp_set_num_threads(1)  # A server is as many processes as there are cores.
    try:
        return Faiss(library.deserialize_index(np.frombuffer(content, np.uint8)))
    except RuntimeError as error:
        raise UserError(f"The model's index cannot be read: {str(error).splitlines()[0]}") from error


def faiss(kind: str = "") -> Any:
    """The library; UserError with what installs it."""
    try:
        import faiss as library
    except ImportError as error:
        raise UserError(f"The index {kind} needs faiss, which is not installed: {REMEDY}") from error
    return library
