"""One record of the proto2 package `aialgs.data`, read field by field: slow, but whatever it looks like.

The messages are those of `sagemaker/amazon/record.proto` of the SageMaker Python SDK 2.257.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from algorithms.common.recordio import varints

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES, LABEL = 1, 2
"""Of `Record`: maps, whose entries have a KEY and a VALUE."""
KEY, VALUE = 1, 2
FLOAT32, FLOAT64, INT32, RAW = 2, 3, 7, 9
"""Of `Value`: what it holds, RAW being the message `Bytes`."""
VALUES, KEYS, SHAPE = 1, 2, 3
"""Of a tensor."""
STORED = {FLOAT32: "<f4", FLOAT64: "<f8", INT32: "<i4"}
"""The type of a tensor's values; those of INT32 are varints."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
FIXED = {FIXED64: 8, FIXED32: 4}

Tensor = tuple["NDArray[Any]", "NDArray[Any] | None", int]
"""Values, the columns that they stand in (None: dense), and the number of columns (0: not said).

The values of a `Bytes` message are an array of Python's `bytes` (dtype object).
"""
Record = tuple[dict[str, Tensor], dict[str, Tensor]]
"""Features and labels by name."""
Field = tuple[int, int, int, int]
"""Number, wire type, and where the content begins and ends."""

MOST_COLUMNS = (1 << 31) - 1
"""More than any algorithm takes, and as many as an index of four bytes can tell apart."""


def record(data: bytes) -> Record:
    """ValueError says what is wrong with it. A value that holds nothing is left out."""
    maps: dict[int, dict[str, Tensor]] = {FEATURES: {}, LABEL: {}}
    for number, wire, at, end in fields(data, 0, len(data)):
        if number in maps and wire == LENGTH:
            name, values = _entry(data, at, end)
            tensor = _value(data, values)
            if tensor is not None:
                maps[number][name] = tensor
    return maps[FEATURES], maps[LABEL]


def fields(data: bytes, at: int, end: int) -> Iterator[Field]:
    """The fields of the message that lies in `data[at:end]`."""
    while at < end:
        tag, at = varint(data, at, end)
        wire = tag & 7
        start = at
        if wire == VARINT:
            _, at = varint(data, at, end)
        elif wire == LENGTH:
            length, start = varint(data, at, end)
            at = start + length
        elif wire in FIXED:
            at += FIXED[wire]
        else:
            raise ValueError(f"wire type {wire} is unknown")
        if at > end:
            raise ValueError("a field is cut off")
        yield tag >> 3, wire, start, at


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of 64 bits, and where it ends."""
    number = shift = 0
    while at < end:
        byte = data[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
    raise ValueError("a number is cut off")


def _entry(data: bytes, at: int, end: int) -> tuple[str, list[Field]]:
    name, values = "", []
    for field in fields(data, at, end):
        if field[:2] == (KEY, LENGTH):
            name = data[field[2] : field[3]].decode()
        elif field[:2] == (VALUE, LENGTH):
            values.append(field)
    return name, values


def _value(data: bytes, values: Iterable[Field]) -> Tensor | None:
    """Of several contents the last one counts; what is given of it in several pieces belongs together."""
    kind, pieces = 0, []
    for _, _, at, end in values:
        for number, wire, start, stop in fields(data, at, end):
            if wire == LENGTH and (number in STORED or number == RAW):
                pieces = [*pieces, (start, stop)] if number == kind else [(start, stop)]
                kind = number
    if not kind:
        return None
    inside = [field for start, stop in pieces for field in fields(data, start, stop)]
    return _raw(data, inside) if kind == RAW else _tensor(data, inside, kind)


def _tensor(data: bytes, inside: Iterable[Field], kind: int) -> Tensor:
    import numpy

    parts: dict[int, list[bytes]] = {VALUES: [], KEYS: [], SHAPE: []}
    for number, wire, at, end in inside:
        if number in parts:
            single = VARINT if number != VALUES or kind == INT32 else FIXED32 if kind == FLOAT32 else FIXED64
            if wire not in (LENGTH, single):
                raise ValueError(f"wire type {wire} is not that of field {number} of a tensor")
            parts[number].append(data[at:end])
    content = b"".join(parts[VALUES])
    if kind == INT32:
        values = _integers(content).astype(STORED[kind])
    elif len(content) % numpy.dtype(STORED[kind]).itemsize:
        raise ValueError("a value is cut off")
    else:
        values = numpy.frombuffer(content, STORED[kind])
    width = _columns(_integers(b"".join(parts[SHAPE]))) if any(parts[SHAPE]) else None
    keys = _integers(b"".join(parts[KEYS])) if parts[KEYS] or (not len(values) and width is not None) else None
    _demand_consistency(values, keys, width)
    return values, keys, width or 0


def _columns(shape: NDArray[Any]) -> int:
    """How many columns a tensor of this shape has, laid out flat."""
    width = 1
    for length in shape.tolist():
        width *= length
        if not 0 <= length <= MOST_COLUMNS or width > MOST_COLUMNS:
            raise ValueError(f"the shape {shape.tolist()} has more than {MOST_COLUMNS} columns")
    return width


def _demand_consistency(values: NDArray[Any], keys: NDArray[Any] | None, width: int | None) -> None:
    if keys is None:
        if width is not None and width != len(values):
            raise ValueError(f"{len(values)} values do not fill a shape of {width}")
        return
    if len(keys) != len(values):
        raise ValueError(f"{len(keys)} keys for {len(values)} values")
    if len(keys):
        most = MOST_COLUMNS if width is None else width
        worst = keys.max() if keys.min() >= 0 else keys.min()
        if not 0 <= worst < most:
            raise ValueError(f"key {int(worst) & 0xFFFFFFFFFFFFFFFF} is not below {most}")


def _raw(data: bytes, inside: Iterable[Field]) -> Tensor:
    import numpy

    found = [data[at:end] for number, wire, at, end in inside if (number, wire) == (1, LENGTH)]
    values = numpy.empty(len(found), dtype=object)
    values[:] = found
    return values, None, 0


def _integers(content: bytes) -> NDArray[Any]:
    import numpy

    return varints.decode(numpy.frombuffer(content, numpy.uint8))[0]
