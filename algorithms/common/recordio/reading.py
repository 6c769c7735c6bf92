"""Records as tables: blocks of rows with as many columns, read together where they are alike, one by one where not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from algorithms.common.recordio import protobuf, varints
from algorithms.common.recordio.alike import LABELS, Layout, learn
from algorithms.common.recordio.assembly import Rows, features_of, labels_of
from algorithms.common.recordio.blocks import Block, blocks
from algorithms.common.recordio.framing import Malformed
from algorithms.common.recordio.places import Span, gather
from algorithms.common.recordio.protobuf import INT32, KEYS, MOST_COLUMNS, SHAPE, STORED, VALUES

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 8
"""Records that are sooner read one by one."""
MOST_LAYOUTS = 16
"""Layouts that are remembered; records of further ones are read one by one."""


class Table(NamedTuple):
    """Features (n, d) of float32 or float64, CSR if any row is sparse; labels (n,), None when a record has none."""

    features: Any
    labels: NDArray[Any] | None


def tables(data: bytes | BinaryIO, name: str = "values") -> Iterator[Table]:
    """The features of that name, and the label, of all records, block by block; Malformed names the record."""
    known: list[Layout] = []
    for block in blocks(data):
        parts = list(_parts(block, name, known))
        yield Table(features_of(parts, block), labels_of(parts, len(block)))


def _parts(block: Block, name: str, known: list[Layout]) -> Iterator[Rows]:
    """The rows of a block, grouped by layout. A new layout is learned from the first record that has none yet."""
    import numpy

    left = numpy.arange(len(block))
    odd: list[NDArray[Any]] = []
    for layout in list(known) if len(block) > FEW else ():
        taken, left, found = _take(block, layout, left)
        yield from found
        odd.append(taken)
    for _ in range(MOST_LAYOUTS - len(known)):
        if len(left) <= FEW:
            break
        with _naming(block, int(left[0])):
            protobuf.record(block.payload(int(left[0])))
            new = learn(block.payload(int(left[0])), name)
        taken, others, found = _take(block, new, left) if new else (left[:0], left, [])
        if new and found:
            known.append(new)
            yield from found
        left, taken = (others, taken) if len(others) < len(left) else (left[1:], left[:1])
        odd.append(taken)
    yield from _one_by_one(block, numpy.sort(numpy.concatenate([*odd, left])), name)


def _take(block: Block, layout: Layout, left: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], list[Rows]]:
    """The rows of this layout that must be read one by one, the rows of other layouts, and what was read together."""
    if not len(left):
        return left, left, []
    good, spans = layout.match(block, left)
    if not good.all():
        spans = {part: (at[good], size[good]) for part, (at, size) in spans.items()}
    rows = left[good]
    if not len(rows):
        return rows, left, []
    try:
        return rows[:0], left[~good], [_read(block, layout, rows, spans)]
    except ValueError:  # Whichever record it is: read by itself, it says so.
        return rows, left[~good], []


def _read(block: Block, layout: Layout, rows: NDArray[Any], spans: Mapping[int, Span]) -> Rows:
    import numpy

    counts, values = _numbers(block, spans.get(VALUES), layout.kind, len(rows))
    values = values.astype(STORED[layout.kind], copy=False)
    widths = _numbers(block, spans.get(SHAPE), INT32, len(rows))
    if SHAPE in spans and ((widths[0] != 1).any() or (widths[1] < 0).any() or (widths[1] > MOST_COLUMNS).any()):
        raise ValueError("not a flat shape")
    keys = None
    if KEYS in spans or (VALUES not in spans and SHAPE in spans):
        key_counts, keys = _numbers(block, spans.get(KEYS), INT32, len(rows))
        most: Any = MOST_COLUMNS if SHAPE not in spans else widths[1][0]
        if SHAPE in spans and (widths[1] != most).any():
            most = numpy.repeat(widths[1], counts)
        if (key_counts != counts).any() or (keys < 0).any() or (keys >= most).any():
            raise ValueError("keys do not fit")
    elif SHAPE in spans and (widths[1] != counts).any():
        raise ValueError("values do not fill the shape")
    labels = None
    if LABELS in spans:
        label_counts, numbers = _numbers(block, spans[LABELS], layout.label_kind, len(rows))
        if label_counts.all():
            labels = numbers[numpy.cumsum(label_counts) - label_counts].astype(STORED[layout.label_kind], copy=False)
    return Rows(rows, counts, values, keys, int(widths[1].max(initial=0)), labels)


def _numbers(block: Block, span: Span | None, kind: int, rows: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """How many numbers each row has, and all of them; whole ones as int64."""
    import numpy

    if span is None:
        return numpy.zeros(rows, dtype=numpy.int64), numpy.empty(0, dtype=STORED[kind])
    lengths = span[1]
    if kind != INT32:
        size = numpy.dtype(STORED[kind]).itemsize
        if (lengths % size).any():
            raise ValueError("a value is cut off")
        return lengths // size, gather(block.buffer, span, size).view(STORED[kind])
    numbers, ends = varints.decode(gather(block.buffer, span, 1))
    bounds = numpy.cumsum(lengths)
    before = numpy.searchsorted(ends, bounds, side="right")
    if len(ends) and (ends[before - 1] != bounds)[bounds > 0].any():
        raise ValueError("a number is cut off")
    return numpy.diff(before, prepend=0), numbers


def _one_by_one(block: Block, rows: NDArray[Any], name: str) -> Iterator[Rows]:
    """Of rows that are not read together: the dense ones, and the sparse ones."""
    import numpy

    groups: dict[bool, list[tuple[int, protobuf.Tensor, float | None]]] = {False: [], True: []}
    for row in rows.tolist():
        with _naming(block, row):
            features, label = protobuf.record(block.payload(row))
            if name not in features or features[name][0].dtype == object:
                raise Malformed(f"record {block.first + row} has no features['{name}']")
            groups[features[name][1] is not None].append((row, features[name], _label(label)))
    for sparse, group in groups.items():
        if group:
            tensors = [tensor for _, tensor, _ in group]
            labels = [label for _, _, label in group]
            yield Rows(
                numpy.array([row for row, _, _ in group]),
                numpy.array([len(values) for values, _, _ in tensors]),
                numpy.concatenate([values for values, _, _ in tensors]),
                numpy.concatenate([keys for _, keys, _ in tensors]) if sparse else None,
                max(width for _, _, width in tensors) if sparse else 0,
                None if None in labels else numpy.array(labels),
            )


def _label(label: Mapping[str, protobuf.Tensor]) -> Any:
    """The first number of the label `values`, or else of the first label; None if there is none."""
    values = (label["values"] if "values" in label else next(iter(label.values()), ((),)))[0]
    return values[0] if len(values) and values.dtype != object else None


@contextlib.contextmanager
def _naming(block: Block, row: int) -> Iterator[None]:
    try:
        yield
    except Malformed:
        raise
    except ValueError as error:
        raise Malformed(f"record {block.first + row} is not a protobuf record of aialgs.data: {error}") from error
