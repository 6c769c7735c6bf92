"""recordio-protobuf, read and written by hand: RecordIO frames around records of the proto2 package `aialgs.data`.

A record's features are dense (`values`) or sparse (`values`, `keys`, `shape`); its label is a dense tensor.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = 0xCED7230A
LENGTH_BITS = (1 << 29) - 1
FEATURES, LABEL = 1, 2
TENSORS = {2: "<f4", 3: "<f8", 7: "int32"}
"""The field of `Value` that holds a tensor, and how its values are stored (int32 as varints)."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Tensor = tuple["NDArray[Any]", "NDArray[Any] | None", int]
"""Values, the columns that they stand in (None: dense), and the number of columns (0: not said)."""
Record = tuple[dict[str, Tensor], dict[str, Tensor]]
"""Features and labels by name."""


class Malformed(ValueError):
    """The bytes are not recordio-protobuf; says where."""


def read(data: bytes | BinaryIO) -> Iterator[Record]:
    """Each record."""
    for number, payload in enumerate(frames(data)):
        try:
            yield _record(payload)
        except (IndexError, ValueError, struct.error) as error:
            raise Malformed(f"record {number} is not a protobuf record of aialgs.data: {error}") from error


def tables(data: bytes | BinaryIO, rows: int = 4096) -> Iterator[tuple[Any, NDArray[Any] | None]]:
    """Blocks of records: features (dense, or CSR if any is sparse), and labels (None when a record has none)."""
    import itertools

    records = read(data)
    while block := list(itertools.islice(records, rows)):
        yield matrix(block)


def matrix(records: Iterable[Record]) -> tuple[Any, NDArray[Any] | None]:
    """Records as features (CSR if any is sparse) and labels (None when a record has none)."""
    import numpy

    rows: list[Tensor] = []
    labels: list[float] = []
    for features, label in records:
        if "values" not in features:
            raise Malformed(f"record {len(rows)} has no features['values']")
        rows.append(features["values"])
        labels += [float(values[0]) for values, _, _ in label.values() if len(values)][:1]
    found = numpy.array(labels) if len(labels) == len(rows) else None
    if all(keys is None for _, keys, _ in rows):
        if len({len(values) for values, _, _ in rows}) > 1:
            raise Malformed("the records differ in their number of features")
        return numpy.array([values for values, _, _ in rows]), found
    return _sparse(rows), found


def _sparse(rows: Sequence[Tensor]) -> Any:
    import numpy
    from scipy.sparse import csr_matrix

    columns = [numpy.arange(len(values)) if keys is None else keys for values, keys, _ in rows]
    width = max([shape for _, _, shape in rows] + [int(c.max()) + 1 for c in columns if len(c)])
    starts = numpy.cumsum([0, *(len(c) for c in columns)])
    values = numpy.concatenate([values for values, _, _ in rows])
    return csr_matrix((values, numpy.concatenate(columns), starts), shape=(len(rows), width))


def frames(data: bytes | BinaryIO) -> Iterator[bytes]:
    """The payloads of the RecordIO frames, one at a time."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    at = 0
    while head := stream.read(8):
        if len(head) < 8:
            raise Malformed(f"the frame at byte {at} is cut off")
        magic, length = struct.unpack("<II", head)
        length &= LENGTH_BITS
        if magic != MAGIC:
            raise Malformed(f"no RecordIO frame begins at byte {at}")
        payload = stream.read(length)
        if len(payload) < length:
            raise Malformed(f"the frame at byte {at} is cut off")
        yield payload
        stream.read(-length % 4)
        at += 8 + length + (-length % 4)


def write(records: Iterable[Mapping[str, Iterable[float]]]) -> bytes:
    """One frame per record, each with its values under `label[<name>].float32_tensor`."""
    out = bytearray()
    for record in records:
        payload = b"".join(_field(LABEL, _entry(name, values)) for name, values in record.items())
        out += struct.pack("<II", MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)
    return bytes(out)


def write_features(rows: Iterable[Iterable[float]], labels: Iterable[float] | None = None) -> bytes:
    """Dense rows, and their labels, as the SDK uploads them."""
    out = bytearray()
    given = iter(labels) if labels is not None else None
    for row in rows:
        payload = _field(FEATURES, _entry("values", row))
        if given is not None:
            payload += _field(LABEL, _entry("values", [next(given)]))
        out += struct.pack("<II", MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)
    return bytes(out)


def _record(payload: bytes) -> Record:
    features: dict[str, Tensor] = {}
    label: dict[str, Tensor] = {}
    for number, value in _fields(payload):
        if number in (FEATURES, LABEL) and isinstance(value, bytes):
            entry = dict(_fields(value))
            key, inner = entry.get(1, b""), entry.get(2, b"")
            if isinstance(key, bytes) and isinstance(inner, bytes):
                (features if number == FEATURES else label)[key.decode()] = _tensor(inner)
    return features, label


def _tensor(value: bytes) -> Tensor:
    import numpy

    for number, inner in _fields(value):
        if number in TENSORS and isinstance(inner, bytes):
            parts: dict[int, list[Any]] = {1: [], 2: [], 3: []}
            for part, content in _fields(inner):
                if part in parts:
                    parts[part].append(_numbers(content, TENSORS[number] if part == 1 else "int32"))
            values = numpy.concatenate(parts[1]) if parts[1] else numpy.empty(0)
            keys = numpy.concatenate(parts[2]) if parts[2] else None
            shape = int(numpy.concatenate(parts[3])[-1]) if parts[3] else 0
            if keys is not None and len(keys) != len(values):
                raise ValueError(f"{len(keys)} keys for {len(values)} values")
            return values, keys, shape
    raise ValueError("a value holds no float32, float64 or int32 tensor")


def _numbers(content: bytes | int | float, stored: str) -> NDArray[Any]:
    import numpy

    if not isinstance(content, bytes):
        return numpy.array([content])
    if stored != "int32":
        return numpy.frombuffer(content, stored)
    numbers, at = [], 0
    while at < len(content):
        number, at = _varint(content, at)
        numbers.append(number - (1 << 64) if number >> 63 else number)
    return numpy.array(numbers, dtype=numpy.int64)


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int | float]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif kind == BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("a field is cut off")
            yield tag >> 3, data[at : at + length]
            at += length
        elif kind in (FIXED32, FIXED64):
            form, size = ("<f", 4) if kind == FIXED32 else ("<d", 8)
            yield tag >> 3, struct.unpack_from(form, data, at)[0]
            at += size
        else:
            raise ValueError(f"wire type {kind} is unknown")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _length(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _length(number << 3 | BYTES) + _length(len(content)) + content


def _entry(name: str, values: Iterable[float]) -> bytes:
    packed = list(values)
    tensor = _field(1, struct.pack(f"<{len(packed)}f", *packed))
    return _field(1, name.encode()) + _field(2, _field(2, tensor))
