"""Parquet files as one matrix of numbers. A pipe holds whole files one behind the other."""

from __future__ import annotations

import mmap
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from algorithms.common.faults import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"PAR1"
"""A file begins and ends with it."""


def read(files: Sequence[Path]) -> NDArray[np.float64]:
    """All rows of the files, below each other."""
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as missing:
        raise UserError(
            "Parquet data needs pyarrow, which is not installed: pip install 'sagelet[parquet]', or use text/csv."
        ) from missing
    import numpy

    columns: list[list[Any]] = []
    for file in files:
        try:
            table = parquet.read_table(file)
        except (pyarrow.ArrowException, OSError) as error:
            raise UserError(f"Failed to load parquet data of file '{file.name}' with exception:\n{error}") from error
        columns.append([_numbers(table, name, file) for name in table.column_names])
        if len(columns[-1]) != len(columns[0]):
            raise UserError(
                f"Failed to load parquet data: file '{file.name}' has {len(columns[-1])} columns, "
                f"but file '{files[0].name}' has {len(columns[0])}."
            )
    return numpy.column_stack([numpy.concatenate(parts) for parts in zip(*columns, strict=True)])


def _numbers(table: Any, name: str, file: Path) -> Any:
    import numpy
    from pyarrow import types

    kind = table.schema.field(name).type
    if not any(is_one(kind) for is_one in (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)):
        raise UserError(
            f"Failed to load parquet data: column '{name}' of file '{file.name}' holds {kind}, not numbers."
        )
    return numpy.asarray(table.column(name).to_numpy(), dtype=numpy.float64)


def unpack(stream: BinaryIO, folder: Path) -> list[Path]:
    """Each file that a stream holds as a file of `folder`: a file of parquet is read from its end."""
    together = folder / "together"
    with together.open("wb") as file:
        shutil.copyfileobj(stream, file)
    if not together.stat().st_size:
        return []
    with together.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = []
        for start, end in _files(data):
            found.append(folder / str(len(found)))
            with memoryview(data)[start:end] as one:
                found[-1].write_bytes(one)
    together.unlink()
    return found


def _files(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where each file begins and ends: at two marks in a row, but not where they are data by chance."""
    start, at = 0, 0
    while (at := data.find(MAGIC + MAGIC, at + 1)) > 0:
        metadata = at - 4 - int.from_bytes(data[at - 4 : at], "little")
        if start < metadata < at:
            yield start, at + 4
            start = at + 4
    yield start, len(data)
