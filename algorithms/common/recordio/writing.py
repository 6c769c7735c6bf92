"""Records written: rows of features as the SDK uploads them, and answers as the algorithms' containers give them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from algorithms.common.recordio import framing, varints
from algorithms.common.recordio.framing import MAGIC
from algorithms.common.recordio.places import scatter
from algorithms.common.recordio.protobuf import (
    FEATURES,
    FLOAT32,
    FLOAT64,
    INT32,
    KEY,
    KEYS,
    LABEL,
    LENGTH,
    SHAPE,
    STORED,
    VALUE,
    VALUES,
)  # fmt: skip

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = 1 << 18
"""Numbers that are written in one go."""


def write(answers: Mapping[str, Any]) -> bytes:
    """One record for each row of the arrays, (n,) or (n, m), which stand in `label[<name>].float32_tensor`."""
    import numpy

    pieces: list[Any] = []
    for name, values in answers.items():
        rows = numpy.asarray(values, dtype=numpy.float32)
        pieces += _entry(LABEL, name, FLOAT32, rows[:, None] if rows.ndim == 1 else rows)
    return b"".join(_even(pieces))


def write_features(rows: Any, labels: Any = None) -> bytes:
    """All of `feature_blocks`."""
    return b"".join(feature_blocks(rows, labels))


def write_sequences(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Records whose features are whole numbers, by name and each of a length of its own, as tensors of int32."""
    import numpy

    found: list[bytes] = []
    for record in records:
        payload = b""
        for name, values in record.items():
            content = varints.encode(numpy.asarray(values, numpy.int64))[0].tobytes() if len(values) else b""
            tensor = _head(VALUES, len(content)) + content if content else b""
            payload += _before(FEATURES, name, INT32, len(tensor)) + tensor
        found += framing.framed(payload)
    return b"".join(found)


def feature_blocks(rows: Any, labels: Any = None) -> Iterator[Any]:
    """Rows (n, d), an array, lists or a sparse matrix, and their labels (n,), in blocks of some MiB for `stream.write`.

    Arrays of float64 and of whole numbers are stored as such, everything else as float32.
    """
    sparse = hasattr(rows, "tocsr")
    matrix = rows.tocsr() if sparse else _array(rows)
    targets = None if labels is None else _array(labels).reshape(-1)
    if targets is not None and len(targets) != matrix.shape[0]:
        raise ValueError(f"{len(targets)} labels for {matrix.shape[0]} rows")
    numbers = matrix.nnz if sparse else matrix.size
    step = max(1, NUMBERS * matrix.shape[0] // max(1, numbers))
    for start in range(0, matrix.shape[0], step):
        part = slice(start, start + step)
        yield from (_sparse if sparse else _dense)(matrix[part], None if targets is None else targets[part])


def _dense(rows: NDArray[Any], labels: NDArray[Any] | None) -> Iterator[Any]:
    import numpy

    kind = _kind(rows)
    if INT32 in (kind, None if labels is None else _kind(labels)):
        values = _packed(rows.reshape(-1), numpy.arange(len(rows) + 1) * rows.shape[1])
        return _uneven(kind, {VALUES: values}, b"", labels)
    features = _entry(FEATURES, "values", kind, rows)
    return _even(
        features if labels is None else features + _entry(LABEL, "values", _kind(labels), labels.reshape(-1, 1))
    )


def _sparse(rows: Any, labels: NDArray[Any] | None) -> Iterator[Any]:
    import numpy

    values = _array(rows.data)
    parts = {VALUES: _packed(values, rows.indptr), KEYS: _packed(rows.indices.astype(numpy.int64), rows.indptr)}
    width = varints.one(rows.shape[1])
    return _uneven(_kind(values), parts, _head(SHAPE, len(width)) + width, labels)


# --- rows of one length ---------------------------------------------------------------------------------------------


def _entry(map_: int, name: str, kind: int, rows: NDArray[Any]) -> list[Any]:
    """What stands before the numbers of each row in its record, and the numbers."""
    import numpy

    content = numpy.ascontiguousarray(rows, dtype=STORED[kind]).view(numpy.uint8) if rows.size else rows[:, :0]
    values = _head(VALUES, content.shape[1]) if content.shape[1] else b""
    return [_before(map_, name, kind, len(values) + content.shape[1]) + values, content]


def _even(pieces: Sequence[Any]) -> Iterator[Any]:
    """The records of rows that consist of these pieces: bytes of all rows, or an array (n, m) with those of each."""
    import numpy

    count = max((len(piece) for piece in pieces if not isinstance(piece, bytes)), default=0)
    sizes = [len(piece) if isinstance(piece, bytes) else piece.shape[1] for piece in pieces]
    size = sum(sizes)
    if size > framing.LONGEST:
        for number in range(count):
            yield from framing.framed(_row(pieces, number))
        return
    out = numpy.empty((count, 8 + size + -size % 4), dtype=numpy.uint8)
    at = 0
    for piece in (framing.head(size), *pieces, bytes(-size % 4)):
        rows = numpy.frombuffer(piece, numpy.uint8) if isinstance(piece, bytes) else piece
        out[:, at : at + rows.shape[-1]] = rows
        at += rows.shape[-1]
    yield out.data


def _row(pieces: Sequence[Any], number: int) -> bytes:
    return b"".join(piece if isinstance(piece, bytes) else piece[number].tobytes() for piece in pieces)


# --- rows that differ in length -------------------------------------------------------------------------------------


class _Piece(NamedTuple):
    """A piece of every record: how many bytes it has in each, and all of them as numbers, record after record."""

    sizes: NDArray[Any]
    numbers: NDArray[Any]


def _uneven(kind: int, parts: dict[int, _Piece], shape: bytes, labels: NDArray[Any] | None) -> Iterator[Any]:
    """The records of rows whose features consist of these parts and the shape."""
    import numpy

    count = len(parts[VALUES].sizes)
    tensor = [piece for number, part in parts.items() for piece in _field(number, [part], part.sizes > 0)]
    pieces = _nested(FEATURES, kind, [*tensor, _text(shape, numpy.ones(count, dtype=bool))])
    if labels is not None:
        target = _packed(labels, numpy.arange(count + 1))
        pieces += _nested(LABEL, _kind(labels), _field(VALUES, [target], target.sizes > 0))
    lengths = sum(piece.sizes for piece in pieces)
    ends = numpy.cumsum(8 + (lengths + 3 & ~3))
    out = numpy.zeros(int(ends[-1]), dtype=numpy.uint8)
    starts = ends - (lengths + 3 & ~3)
    out.view("<u4")[starts // 4 - 2] = MAGIC
    out.view("<u4")[starts // 4 - 1] = lengths
    at = starts
    for piece in pieces:
        scatter(out, (at, piece.sizes), piece.numbers)
        at = at + piece.sizes
    if lengths.max() <= framing.LONGEST:
        yield out.data
        return
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        yield from framing.framed(out[start : start + length].tobytes())


def _nested(part: int, kind: int, tensor: list[_Piece]) -> list[_Piece]:
    """A tensor as `values` of a record's map."""
    import numpy

    every = numpy.ones(len(tensor[0].sizes), dtype=bool)
    key = _text(_head(KEY, len(b"values")) + b"values", every)
    return _field(part, [key, *_field(VALUE, _field(kind, tensor, every), every)], every)


def _field(number: int, content: list[_Piece], where: NDArray[Any]) -> list[_Piece]:
    """A field with this content; only the records `where` it is so have it."""
    import numpy

    sizes = sum(piece.sizes for piece in content)
    data, lengths = varints.encode(sizes[where])
    spread = numpy.zeros(len(where), dtype=numpy.int64)
    spread[where] = lengths
    return [_text(bytes([number << 3 | LENGTH]), where), _Piece(spread, data), *content]


def _text(text: bytes, where: NDArray[Any]) -> _Piece:
    import numpy

    return _Piece(where * len(text), numpy.tile(numpy.frombuffer(text, numpy.uint8), int(where.sum())))


def _packed(numbers: NDArray[Any], ends: NDArray[Any]) -> _Piece:
    """The numbers of a tensor; row i has those from `ends[i]` to `ends[i + 1]`."""
    import numpy

    if _kind(numbers) == INT32:
        data, sizes = varints.encode(numbers)
        return _Piece(numpy.diff(numpy.concatenate([[0], numpy.cumsum(sizes)])[ends]), data)
    stored = numpy.ascontiguousarray(numbers, dtype=STORED[_kind(numbers)])
    return _Piece(numpy.diff(ends).astype(numpy.int64) * stored.itemsize, stored)


# --- bytes around numbers -------------------------------------------------------------------------------------------


def _before(part: int, name: str, kind: int, size: int) -> bytes:
    """What stands before the fields of a tensor, which take `size` bytes, in an entry of a record's map."""
    tensor = _head(kind, size)
    value = _head(VALUE, len(tensor) + size)
    key = _head(KEY, len(name.encode())) + name.encode()
    return _head(part, len(key) + len(value) + len(tensor) + size) + key + value + tensor


def _head(number: int, size: int) -> bytes:
    return varints.one(number << 3 | LENGTH) + varints.one(size)


def _array(values: Any) -> NDArray[Any]:
    """An array of float32, unless it is one of float64 or of whole numbers; ValueError when these need 64 bits."""
    import numpy

    array = numpy.asarray(values)
    if not hasattr(values, "dtype") or array.dtype.kind not in "iu":
        return (
            array
            if hasattr(values, "dtype") and array.dtype == numpy.float64
            else array.astype(numpy.float32, copy=False)
        )
    limits = numpy.iinfo(numpy.int32)
    if array.min(initial=0) < limits.min or array.max(initial=0) > limits.max:
        raise ValueError("a tensor holds whole numbers of 32 bits: give larger ones as float64")
    return array


def _kind(array: NDArray[Any]) -> int:
    if array.dtype.kind in "iu":
        return INT32
    return FLOAT64 if array.dtype.itemsize == 8 else FLOAT32
