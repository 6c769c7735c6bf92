"""The files of a channel as series: JSON Lines, plain or packed by gzip, and Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common import streams
from algorithms.common.faults import UserError
from algorithms.common.parquet_table import MAGIC
from algorithms.deepar import series
from algorithms.first_party.data import Table

if TYPE_CHECKING:
    from algorithms.deepar.frequency import Frequency
    from algorithms.deepar.series import Series
    from algorithms.first_party.run import Run

AUTO, JSON, GZIP, PARQUET = "auto", "json", "json.gz", "parquet"
FORMATS = (AUTO, JSON, GZIP, PARQUET, "application/jsonlines")
"""The content types of a channel; `auto` goes by the names of files."""


def table(run: Run, channel: str) -> Table | None:
    """The series of this host, packed; None when there are none."""
    form = run.layout.channels[channel].get("ContentType") or AUTO
    found = [one for file in listed(run.layout.channel(channel)) for one in read(file, form, run.values["time_freq"])]
    return Table(series.packed(found)) if found else None


def listed(folder: Path) -> list[Path]:
    """The files below a folder in the order of their paths, without hidden ones, Spark's `_SUCCESS` and empty ones."""
    found = [Path(root, name) for root, _, names in os.walk(folder, followlinks=True) for name in names]
    shown = (path for path in found if not path.name.startswith(".") and not path.name.endswith("_SUCCESS"))
    return sorted(path for path in shown if path.stat().st_size)


def read(file: Path, form: str, frequency: Frequency) -> Iterator[Series]:
    """The series of a file; UserError when it cannot be read."""
    if form == PARQUET or (form == AUTO and _is_parquet(file)):
        for number, record in enumerate(_rows(file), 1):
            yield _series(record, f"row {number} of file '{file.name}'", frequency)
        return
    with streams.reading(file) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"line {number} of file '{file.name}'"
            try:
                record = json.loads(line)
            except (ValueError, UnicodeDecodeError) as error:
                raise UserError(
                    f"Error when parsing json ({where}): {error}. Each line is to be a JSON object."
                ) from error
            yield _series(record, where, frequency)


def _series(record: Any, where: str, frequency: Frequency) -> Series:
    try:
        return series.parse(record, frequency)
    except ValueError as error:
        raise UserError(f"Unable to read the time series in {where}: {error}.") from error


def _is_parquet(file: Path) -> bool:
    if file.name.endswith((".json", ".jsonl", ".gz")):
        return False
    with file.open("rb") as content:
        return file.name.endswith(".parquet") or content.read(len(MAGIC)) == MAGIC


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as missing:
        raise UserError(
            "Parquet data needs pyarrow, which is not installed: pip install 'sagelet[parquet]', or use JSON Lines."
        ) from missing
    try:
        with parquet.ParquetFile(file) as opened:
            for batch in opened.iter_batches(256):
                for row in batch.to_pylist():
                    yield {name: _plain(value) for name, value in row.items() if value is not None}
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"Failed to load parquet data of file '{file.name}' with exception:\n{error}") from error


def _plain(value: Any) -> Any:
    """A moment as the text that JSON would have."""
    return value.isoformat(" ") if hasattr(value, "isoformat") else value
