"""CSV files as one matrix of numbers, read block by block: plain ones quickly, others as strictly as numpy reads them.

XGBoost's own text reader takes words for zeros, drops the ends of long rows and rounds differently from numpy, so it is
not used. Line numbers are looked for only after reading has failed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from algorithms.common import plain_csv, streams
from algorithms.common.contract import log
from algorithms.common.faults import UserError
from algorithms.common.stacking import stacked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSING = ("", "na", "nan", "null", "none", "?")
"""Fields that mean "no value" (in any case)."""
SPELLINGS = ("nan", "NaN", "NA", "null", "NULL", "None", "?")
"""The usual ones, which are read quickly."""
SHOWN = 50
"""Characters of a bad line that a message shows."""
BLOCK = plain_csv.PIECE
"""Bytes that are read at once. One odd field makes a block slow, not the whole text."""


@dataclass(frozen=True)
class Origin:
    """Where a text comes from, for messages: a file, or a part of a stream behind `skipped` lines."""

    name: str
    skipped: int = 0
    columns: int = 0
    """How many the lines before have; 0 for none."""

    def line(self, number: int) -> str:
        return f"line {self.skipped + number} of {self.name}"


def read(files: Sequence[Path], narrow: bool = False) -> NDArray[np.float64] | None:
    """All rows of the files, below each other; None if there are none. UserError names the line that is no row.

    `narrow`: a row may be a single number, which has no label beside it.
    """
    reader = _Reader(narrow)
    parts: list[NDArray[np.float64]] = []
    first = ""
    for path in files:
        name, before = f"file '{path.name}'", len(parts)
        with streams.reading(path) as stream:
            for part in reader.blocks(stream, name):
                if len(parts) == before > 0 and part.shape[1] != parts[0].shape[1]:
                    raise UserError(
                        f"Failed to load csv data: {name} has {part.shape[1]} columns, "
                        f"but {first} has {parts[0].shape[1]}."
                    )
                parts.append(part)
        first = first or name
    return stacked(parts) if parts else None


def read_stream(stream: BinaryIO, name: str, narrow: bool = False) -> NDArray[np.float32] | None:
    """All rows of a stream that is read once and never held as a whole; None when it is empty.

    Single precision, which is what xgboost keeps: the blocks and the whole together take no more than a file does.
    """
    import numpy

    with numpy.errstate(over="ignore"):  # Too large is infinite then, which xgboost refuses by name.
        parts = [part.astype(numpy.float32) for part in _Reader(narrow).blocks(stream, name)]
    return stacked(parts) if parts else None


class _Reader:
    """Texts with the same delimiter, which the first line of the first one tells."""

    def __init__(self, narrow: bool) -> None:
        self._delimiter = ""
        self._narrow = narrow

    def blocks(self, stream: BinaryIO, name: str) -> Iterator[NDArray[np.float64]]:
        """The rows of a text, all with as many columns as its first one."""
        columns = 0
        for skipped, block in _blocks(stream):
            self._delimiter = self._delimiter or _delimiter(block.partition(b"\n")[0], name, self._narrow)
            origin = Origin(name, skipped, columns)
            part = _read(block, self._delimiter, origin)
            if columns and part.shape[1] != columns:
                raise _diagnosis(block.decode("utf-8", "replace"), self._delimiter, origin) or UserError(
                    f"Failed to load csv data: the number of columns changes behind {origin.line(0)}."
                )
            columns = part.shape[1]
            yield part


def _blocks(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Whole lines, and how many lines came before them."""
    skipped, rest = 0, b""
    while chunk := stream.read(BLOCK):
        lines, newline, rest = (rest + chunk).rpartition(b"\n")
        if lines.strip():
            yield skipped, lines + newline
        skipped += lines.count(b"\n") + len(newline)
    if rest.strip():
        yield skipped, rest


def _delimiter(first_line: bytes, name: str, narrow: bool) -> str:
    if narrow and _is_number(first_line.decode("utf-8-sig", "replace").strip()):
        return ","
    try:
        delimiter = sniff(first_line)
    except ValueError as error:
        raise UserError(f"{error} (line 1 of {name})") from error
    log(f"Determined delimiter of CSV input is '{delimiter}'")
    return delimiter


def sniff(first_line: bytes) -> str:
    """The delimiter of a line; ValueError when there is none."""
    text = first_line.decode("utf-8-sig", "replace").strip("\r\n")
    present = [mark for mark in (",", ";", "\t", "|") if mark in text]
    if len(present) == 1:
        return present[0]
    try:
        found = csv.Sniffer().sniff(text).delimiter
    except csv.Error as error:
        if present:
            return present[0]
        raise ValueError(f"Could not determine delimiter on line {text[:SHOWN]}:\n{error}") from error
    if found.isalnum() or found in "._-+'\"":
        if present:
            return present[0]
        raise ValueError(
            f"Could not determine delimiter on line {text[:SHOWN]}:\na row needs the label and at least one feature"
        )
    return found


def _read(block: bytes, delimiter: str, origin: Origin) -> NDArray[np.float64]:
    import numpy

    found = plain_csv.read(block, delimiter, SPELLINGS)
    if found is not None:
        return found
    separator = None if delimiter == " " else delimiter
    try:
        return numpy.loadtxt(io.BytesIO(block), delimiter=separator, ndmin=2, comments=None, encoding="utf-8")
    except (ValueError, UnicodeDecodeError):
        return _read_with_care(block, delimiter, origin)


def _read_with_care(data: bytes, delimiter: str, origin: Origin) -> NDArray[np.float64]:
    """Once more with what numpy refuses though it is no mistake: missing values, quotes, a byte order mark."""
    import numpy

    text = data.decode("utf-8-sig", "replace")
    if not origin.skipped:
        _refuse_header(text, delimiter, origin)
    mark = re.escape(delimiter)
    words = "|".join(re.escape(word) for word in MISSING if word)
    blank = rf'(?i)(?:^|(?<={mark}))[ \t]*"?(?:{words})?"?[ \t]*(?={mark}|\r?$)'
    lines = [line for line in text.splitlines() if line.strip()]
    filled = re.sub(blank, "nan", "\n".join(lines), flags=re.MULTILINE)
    separator = None if delimiter == " " else delimiter
    try:
        return numpy.loadtxt(io.StringIO(filled), delimiter=separator, ndmin=2, comments=None, quotechar='"')
    except ValueError as error:
        raise _diagnosis(text, delimiter, origin) or UserError(
            f"Failed to load csv data of {origin.name} with exception:\n{error}"
        ) from error


def _refuse_header(text: str, delimiter: str, origin: Origin) -> None:
    """A first line without any number is a header."""
    first = text.partition("\n")[0].strip("\r")
    fields = [field.strip().strip('"') for field in first.split(delimiter)]
    words = [field for field in fields if field.lower() not in MISSING]
    if words and not any(_is_number(word) for word in words):
        raise UserError(
            f"Failed to load csv data: {origin.line(1)} looks like a header: '{first[:SHOWN]}'. "
            "Remove it: CSV input has no header row, and its first column is the label."
        )


def _diagnosis(text: str, delimiter: str, origin: Origin) -> UserError | None:
    """What is wrong with the first bad line."""
    expected = origin.columns
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = origin.line(number)
        fields = line.split(delimiter) if delimiter != " " else line.split()
        expected = expected or len(fields)
        if len(fields) != expected:
            return UserError(
                f"Failed to load csv data: {where} has {len(fields)} columns, but the lines before have {expected}: "
                f"'{line[:SHOWN]}'"
            )
        for column, field in enumerate(fields):
            word = field.strip().strip('"')
            if word.lower() not in MISSING and not _is_number(word):
                what = "the label" if column == 0 else f"column {column}"
                return UserError(
                    f"Failed to load csv data: {what} in {where} is not a number: '{word[:SHOWN]}'. "
                    "Encode text as numbers first."
                )
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word
