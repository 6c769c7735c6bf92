"""MXNet's file of NDArrays, in which the first-party algorithms keep what users open by themselves (`mx.nd.load`).

Written and read by hand, as MXNet is neither needed nor alive. Dense arrays only; little endian. The layout is that of
`NDArray::Save` in https://github.com/apache/mxnet/blob/v1.9.x/src/ndarray/ndarray.cc.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIST_MAGIC, ARRAY_MAGIC = 0x112, 0xF993FAC9
DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}
DENSE, CPU = 0, 1

Arrays = Sequence["NDArray[Any]"] | Mapping[str, "NDArray[Any]"]


class Malformed(ValueError):
    """The bytes are no file of dense NDArrays."""


def write(arrays: Arrays) -> bytes:
    """A list of arrays without names, or named ones."""
    named = isinstance(arrays, Mapping)
    names = list(arrays) if isinstance(arrays, Mapping) else []
    values = list(arrays.values()) if isinstance(arrays, Mapping) else list(arrays)
    out = [struct.pack("<QQQ", LIST_MAGIC, 0, len(values))]
    out += [_array(value) for value in values]
    out.append(struct.pack("<Q", len(names)))
    for name in names if named else ():
        text = name.encode()
        out.append(struct.pack("<Q", len(text)) + text)
    return b"".join(out)


def read(data: bytes) -> list[NDArray[Any]] | dict[str, NDArray[Any]]:
    """The arrays: by name when they have names, else in order; Malformed when it is something else."""
    try:
        return _read(data)
    except (struct.error, KeyError, ValueError, IndexError) as error:
        raise Malformed(f"not a file of MXNet NDArrays: {error}") from error


def _array(value: NDArray[Any]) -> bytes:
    import numpy

    flag = next((flag for flag, kind in DTYPES.items() if numpy.dtype(kind) == value.dtype), None)
    if flag is None:
        raise ValueError(f"MXNet has no arrays of {value.dtype}")
    head = struct.pack("<IiI", ARRAY_MAGIC, DENSE, value.ndim) + struct.pack(f"<{value.ndim}q", *value.shape)
    return head + struct.pack("<iii", CPU, 0, flag) + numpy.ascontiguousarray(value).tobytes()


def _read(data: bytes) -> list[NDArray[Any]] | dict[str, NDArray[Any]]:
    magic, _, count = struct.unpack_from("<QQQ", data)
    if magic != LIST_MAGIC:
        raise Malformed("it does not begin as one")
    at, arrays = 24, []
    for _ in range(count):
        value, at = _one(data, at)
        arrays.append(value)
    (named,) = struct.unpack_from("<Q", data, at)
    at += 8
    names = []
    for _ in range(named):
        (length,) = struct.unpack_from("<Q", data, at)
        names.append(data[at + 8 : at + 8 + length].decode())
        at += 8 + length
    return dict(zip(names, arrays, strict=True)) if named else arrays


def _one(data: bytes, at: int) -> tuple[NDArray[Any], int]:
    import numpy

    magic, storage, dimensions = struct.unpack_from("<IiI", data, at)
    if magic != ARRAY_MAGIC or storage != DENSE:
        raise Malformed(f"no dense array begins at byte {at}")
    shape = struct.unpack_from(f"<{dimensions}q", data, at + 12)
    at += 12 + 8 * dimensions
    kind = numpy.dtype(DTYPES[struct.unpack_from("<iii", data, at)[2]])
    length = int(numpy.prod(shape, dtype=numpy.int64))
    value = numpy.frombuffer(data, kind, length, at + 12).reshape(shape)
    return value, at + 12 + length * kind.itemsize
