"""CSV files as one matrix of numbers, read as fast as numpy can and as strictly.

XGBoost's own text reader takes words for zeros, drops the ends of long rows and rounds differently from numpy, so it is
not used. Line numbers are looked for only after reading has failed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from algorithms.common.contract import log
from algorithms.common.faults import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSING = ("", "na", "nan", "null", "none", "?")
"""Fields that mean "no value" (in any case)."""
SHOWN = 50
"""Characters of a bad line that a message shows."""


def read(files: Sequence[Path]) -> NDArray[np.float64]:
    """All rows of the files, below each other. UserError names the file and the line that is no row of numbers."""
    import numpy

    with files[0].open("rb") as file:
        try:
            delimiter = sniff(file.readline())
        except ValueError as error:
            raise UserError(f"{error} (line 1 of file '{files[0].name}')") from error
    log(f"Determined delimiter of CSV input is '{delimiter}'")
    parts = [_read(path, delimiter) for path in files]
    for path, part in zip(files, parts, strict=True):
        if part.shape[1] != parts[0].shape[1]:
            raise UserError(
                f"Failed to load csv data: file '{path.name}' has {part.shape[1]} columns, "
                f"but file '{files[0].name}' has {parts[0].shape[1]}."
            )
    return parts[0] if len(parts) == 1 else numpy.concatenate(parts)


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
    if found.isalnum() or found in "._-+":
        if present:
            return present[0]
        raise ValueError(
            f"Could not determine delimiter on line {text[:SHOWN]}:\na row needs the label and at least one feature"
        )
    return found


def _read(path: Path, delimiter: str) -> NDArray[np.float64]:
    import numpy

    separator = None if delimiter == " " else delimiter
    try:
        return numpy.loadtxt(path, delimiter=separator, ndmin=2, comments=None, encoding="utf-8")
    except (ValueError, UnicodeDecodeError):
        return _read_with_care(path, delimiter)


def _read_with_care(path: Path, delimiter: str) -> NDArray[np.float64]:
    """Once more with what numpy refuses though it is no mistake: missing values, quotes, a byte order mark."""
    import numpy

    text = path.read_bytes().decode("utf-8-sig", "replace")
    _refuse_header(text, delimiter, path)
    mark = re.escape(delimiter)
    words = "|".join(re.escape(word) for word in MISSING if word)
    blank = rf'(?i)(?:^|(?<={mark}))[ \t]*"?(?:{words})?"?[ \t]*(?={mark}|\r?$)'
    lines = [line for line in text.splitlines() if line.strip()]
    filled = re.sub(blank, "nan", "\n".join(lines), flags=re.MULTILINE)
    separator = None if delimiter == " " else delimiter
    try:
        return numpy.loadtxt(io.StringIO(filled), delimiter=separator, ndmin=2, comments=None, quotechar='"')
    except ValueError as error:
        raise _diagnosis(text, delimiter, path) or UserError(
            f"Failed to load csv data of file '{path.name}' with exception:\n{error}"
        ) from error


def _refuse_header(text: str, delimiter: str, path: Path) -> None:
    """A first line without any number is a header."""
    first = text.partition("\n")[0].strip("\r")
    fields = [field.strip().strip('"') for field in first.split(delimiter)]
    words = [field for field in fields if field.lower() not in MISSING]
    if words and not any(_is_number(word) for word in words):
        raise UserError(
            f"Failed to load csv data: line 1 of file '{path.name}' looks like a header: '{first[:SHOWN]}'. "
            "Remove it: CSV input has no header row, and its first column is the label."
        )


def _diagnosis(text: str, delimiter: str, path: Path) -> UserError | None:
    """What is wrong with the first bad line."""
    expected = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"line {number} of file '{path.name}'"
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
