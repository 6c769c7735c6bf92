"""Indices of vectors: the exact one by numpy, the approximate ones by faiss where it is installed.

Distances are those of faiss: squared Euclidean ones, smallest first, or inner products, largest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from algorithms.common.faults import UserError
from algorithms.knn import flat_file
from algorithms.knn.hyperparameters import FLAT, IVF_PQ

if TYPE_CHECKING:
    from numpy.typing import NDArray

REMEDY = "pip install 'sagelet[knn]'"
PROBES = 5
"""Lists of an IVF index that a search visits: `_faiss_index_nprobe` in the configuration of real jobs."""
BLOCK = 1 << 22
"""Distances, or numbers of candidates, that are held at once."""
SPARE = 8
"""Candidates beyond k whose distance is computed once more, without cancellation."""

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
    """All vectors (n, d), compared one by one; of equal ones the first is nearer.

    Candidates are found by a product of matrices, whose rounding is bounded: where it could hide a nearer vector, the
    differences to all of them decide.
    """

    def __init__(self, vectors: NDArray[np.float32], metric: bytes) -> None:
        self._vectors, self._inner = np.ascontiguousarray(vectors, np.float32), metric == flat_file.INNER_PRODUCT
        self.width = int(vectors.shape[1])
        # What lies far from 0 and close together would be lost in its own square.
        self._origin = np.zeros(self.width, np.float32) if self._inner else self._vectors.mean(axis=0, dtype=np.float64)
        self._centred = self._vectors if self._inner else (self._vectors - self._origin).astype(np.float32)
        self._squares = (self._centred * self._centred).sum(axis=1)
        self._rounding = float(np.finfo(np.float32).eps * (8 + 2 * self.width**0.5))

    def search(self, rows: NDArray[np.float32], k: int) -> Found:
        size = max(1, BLOCK // max(len(self._vectors), (k + SPARE) * self.width))
        parts = [self._block(rows[at : at + size], k) for at in range(0, len(rows), size)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def content(self) -> bytes:
        return flat_file.write(self._vectors, flat_file.INNER_PRODUCT if self._inner else flat_file.L2)

    def _block(self, rows: NDArray[np.float32], k: int) -> Found:
        count = len(self._vectors)
        if k + SPARE >= count:
            found, near = self._nearest(rows, np.broadcast_to(np.arange(count), (len(rows), count)), k)
            return (-found if self._inner else found), near
        rough, error = self._rough(rows)
        near = np.argpartition(rough, k + SPARE - 1, axis=1)[:, : k + SPARE]
        edge = np.take_along_axis(rough, near, axis=1).max(axis=1)
        found, near = self._nearest(rows, near, k)
        for row in np.flatnonzero(found[:, -1] >= edge - error):
            found[row], near[row] = self._among_all(rows[row], k)
        return (-found if self._inner else found), near

    def _rough(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Distances of all (n, vectors), smallest nearest, and how wrong those of a row may be (n,)."""
        centred = (rows - self._origin).astype(np.float32)
        products, squares = centred @ self._centred.T, (centred * centred).sum(axis=1)
        if self._inner:
            return -products, self._rounding * np.sqrt(squares * self._squares.max())
        return squares[:, None] + (self._squares - 2 * products), self._rounding * (squares + self._squares.max())

    def _nearest(self, rows: NDArray[np.float32], near: NDArray[np.int64], k: int) -> Found:
        """Of candidates (n, more than k), by what their distance is in truth."""
        chosen = self._vectors[near]
        if self._inner:
            exact = -np.einsum("nd,nkd->nk", rows, chosen)
        else:
            exact = ((rows[:, None] - chosen) ** 2).sum(axis=2)
        order = np.lexsort((near, exact), axis=1)[:, :k]
        return np.take_along_axis(exact, order, axis=1), np.take_along_axis(near, order, axis=1)

    def _among_all(self, row: NDArray[np.float32], k: int) -> Found:
        if self._inner:
            exact = -np.einsum("d,nd->n", row, self._vectors)
        else:
            exact = ((row - self._vectors) ** 2).sum(axis=1)
        furthest = np.partition(exact, k - 1)[k - 1]
        near = np.flatnonzero(exact <= furthest)
        near = near[np.argsort(exact[near], kind="stable")[:k]]
        return exact[near], near


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
