"""Rows that were read in groups, put together as the table of a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from algorithms.common.recordio.blocks import Block
from algorithms.common.recordio.framing import Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """Some rows of a block: how many values each of them has, all values, and their columns if they are sparse."""

    rows: NDArray[Any]
    counts: NDArray[Any]
    values: NDArray[Any]
    keys: NDArray[Any] | None
    width: int
    labels: NDArray[Any] | None


def labels_of(parts: Sequence[Rows], rows: int) -> NDArray[Any] | None:
    import numpy

    found = [(part.rows, part.labels) for part in parts if part.labels is not None]
    if len(found) < len(parts):
        return None
    labels = numpy.empty(rows, dtype=_floating([values for _, values in found]))
    for places, values in found:
        labels[places] = values
    return labels


def features_of(parts: Sequence[Rows], block: Block) -> Any:
    import numpy

    counts = numpy.empty(len(block), dtype=numpy.int64)
    for part in parts:
        counts[part.rows] = part.counts
    kind = _floating([part.values for part in parts])
    sparse = [part for part in parts if part.keys is not None]
    if sparse:
        _demand_sparse(parts, block.first)
        return _csr(sparse, counts, kind)
    if (counts != counts[0]).any():
        worst = int((counts != counts[0]).argmax())
        demand_width(int(counts[worst]), int(counts[0]), block.first + worst)
    if len(parts) == 1:
        return parts[0].values.astype(kind, copy=False).reshape(len(block), int(counts[0]))
    rows = numpy.empty((len(block), int(counts[0])), dtype=kind)
    for part in parts:
        rows[part.rows] = part.values.reshape(len(part.rows), int(counts[0]))
    return rows


def _csr(parts: Sequence[Rows], counts: NDArray[Any], kind: Any) -> Any:
    import numpy
    from scipy.sparse import csr_matrix

    starts = numpy.concatenate([[0], numpy.cumsum(counts)])
    values, columns = numpy.empty(starts[-1], dtype=kind), numpy.empty(starts[-1], dtype=numpy.int32)
    for part in parts:
        places: Any = slice(None)
        if len(parts) > 1:
            before = numpy.cumsum(part.counts) - part.counts
            places = numpy.repeat(starts[part.rows] - before, part.counts) + numpy.arange(len(part.values))
        values[places] = part.values
        columns[places] = part.keys
    width = max(int(columns.max(initial=-1)) + 1, *(part.width for part in parts))
    return csr_matrix((values, columns, starts), shape=(len(counts), width))


def _floating(values: Sequence[NDArray[Any]]) -> Any:
    """The type of numbers that holds all of them; whole ones need float64."""
    import numpy

    kinds = {one.dtype if one.dtype.kind == "f" else numpy.dtype(numpy.float64) for one in values}
    return numpy.result_type(*kinds)


def demand_width(width: int, before: int, number: int) -> None:
    """Malformed when a dense record differs from those before."""
    if width != before:
        raise Malformed(f"record {number} has {width} features, but the records before have {before}")


def mixed(number: int, sparse: bool) -> Malformed:
    """Amazon's reader does not take them together either (`recordio_protobuf_reader.cc` of awslabs/ml-io)."""
    kinds = ("sparse", "dense") if sparse else ("dense", "sparse")
    return Malformed(f"record {number} is {kinds[0]}, but the records before are {kinds[1]}")


def _demand_sparse(parts: Sequence[Rows], first: int) -> None:
    """Malformed when there are dense rows too. One without any value is as good as sparse."""
    sparse = min(int(part.rows[0]) for part in parts if part.keys is not None)
    dense = min(
        (int(part.rows[part.counts > 0][0]) for part in parts if part.keys is None and part.counts.any()), default=None
    )
    if dense is not None:
        raise mixed(first + max(sparse, dense), sparse > dense)
