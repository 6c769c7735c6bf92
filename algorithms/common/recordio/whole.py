"""All records of streams, files and pipes as one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from algorithms.common import streams
from algorithms.common.recordio.assembly import demand_width, mixed
from algorithms.common.recordio.framing import Malformed
from algorithms.common.recordio.reading import Table, tables
from algorithms.common.stacking import stacked

SPARSE = -1


def load(paths: Iterable[Path], single: bool = False) -> Table | None:
    """All records of files and pipes (`single`: in single precision); None when there are none.

    Malformed names the file and the record, UserError a file of gzip that is broken.
    """
    return together(table for path in paths for table in _tables(path, single))


def _tables(path: Path, single: bool) -> Iterator[Table]:
    with streams.reading(path) as stream:
        try:
            for features, labels in tables(stream):
                yield Table(features.astype("float32", copy=False) if single else features, labels)
        except Malformed as error:
            raise Malformed(f"{path.name}: {error}") from error


def together(found: Iterable[Table]) -> Table | None:
    """All rows below each other; None when there are none. Sparse rows may differ in width, dense ones may not."""
    features: list[Any] = []
    labels: list[Any] = []
    form: int | None = None
    count = 0
    for table in found:
        form = _form(table.features, form, count)
        count += table.features.shape[0]
        features.append(table.features)
        labels.append(table.labels)
    if not features:
        return None
    targets = None if any(one is None for one in labels) else stacked(labels)
    return Table(_stacked_sparse(features) if form == SPARSE else stacked(features), targets)


def _form(features: Any, before: int | None, number: int) -> int:
    """The number of columns of all rows so far, or SPARSE."""
    mine = SPARSE if hasattr(features, "tocsr") else int(features.shape[1])
    if before in (None, mine):
        return mine
    if {mine, before} == {SPARSE, 0}:  # Rows without any value are as good as sparse.
        return SPARSE
    if SPARSE in (mine, before):
        raise mixed(number, mine == SPARSE)
    demand_width(mine, before, number)
    return mine


def _stacked_sparse(features: list[Any]) -> Any:
    from scipy.sparse import csr_matrix, vstack

    width = max(one.shape[1] for one in features)
    for number, one in enumerate(features):
        if hasattr(one, "tocsr"):
            one.resize((one.shape[0], width))
        else:
            features[number] = csr_matrix((one.shape[0], width), dtype=one.dtype)
    return vstack(features, format="csr")
