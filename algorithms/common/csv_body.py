"""A body of CSV as one matrix of numbers: an endpoint's counterpart of `csv_table`, quick for one row and for many."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from algorithms.common import plain_csv

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGE = 4096
"""Characters of CSV from which arrays are quicker than lists."""


def read(body: bytes) -> NDArray[Any]:
    """Rows of float32; ValueError when a field is no number, or the rows differ in their number of columns."""
    import numpy

    text = body.decode("utf-8-sig").strip()
    first = text.partition("\n")[0]
    mark = "," if "," in first else _delimiter(first)
    if "\n" not in text:
        return numpy.array([_numbers(text, mark)], dtype=numpy.float32)
    if len(text) > LARGE and mark != " ":
        found = plain_csv.read(text.encode(), mark, ("nan", "NaN"))
        if found is not None:
            with numpy.errstate(over="ignore"):
                return found.astype(numpy.float32)
    lines = [_numbers(line, mark) for line in text.split("\n") if line.strip()]
    widths = {len(line) for line in lines}
    if len(widths) > 1:
        raise ValueError(f"the rows differ in their number of columns: {sorted(widths)}")
    return numpy.array(lines, dtype=numpy.float32)


def _numbers(line: str, mark: str) -> list[float]:
    fields = line.split(mark)
    try:
        return [float(field) for field in fields]
    except ValueError:
        return [float(field.strip().strip('"') or "nan") for field in fields]


def _delimiter(line: str) -> str:
    """Another mark than a comma. A row of one number has none, whatever the sniffer finds in its digits."""
    try:
        float(line)
        return ","
    except ValueError:
        found = csv.Sniffer().sniff(line[:512]).delimiter
        return "," if found.isalnum() else found
