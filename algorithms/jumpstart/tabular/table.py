"""CSV as features and target: no header, the target in the first column, columns named feature_0, feature_1, ..."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common.failing import Refused
from tabular.channels import Data

SPLIT, SEED = 0.2, 123
FEW = 64
"""Rows of a request up to which pandas' reader takes longer than reading them."""
SHORT = re.compile(r"-?\d{1,7}(?:\.\d{1,7})?", re.ASCII)
"""A number that every reader takes for the same: so many digits are exact, and so is the power of ten."""


@dataclass(frozen=True)
class Table:
    """Rows with their targets. Categorical features are text, all others numbers, in which a gap is NaN. `text` are
    the columns that are text without being listed, as only a library that takes a table raw can use them."""

    features: pd.DataFrame
    target: pd.Series
    text: tuple[int, ...] = ()


def load(data: Data, raw: bool = False) -> tuple[Table, Table | None]:
    """What to train with, and what to validate with. Where that is not given, it is a fifth of the rows, drawn at
    random; None for a library that takes the table `raw`, text and all, and splits it by itself."""
    text = _text_columns(data) if raw else ()
    training = _table(data.training, data.categorical, text)
    if data.validation:
        validation = _table(data.validation, data.categorical, text)
        _same_width(training, validation)
        return training, validation
    if raw:
        return training, None
    rows = len(training.target)
    if rows < 2:
        raise Refused(f"There is {rows} row of training data. Give more, so that a part can be used for validation.")
    order = np.random.default_rng(SEED).permutation(rows)
    cut = max(1, int(rows * SPLIT))
    print(f"There is no validation data: {cut} of {rows} rows are split off at random.", flush=True)
    return _part(training, np.sort(order[cut:])), _part(training, np.sort(order[:cut]))


def rows_of(text: str, width: int, strings: Sequence[int]) -> pd.DataFrame:
    """The features of a request, which has no target. `strings` are the columns of the data that are text."""
    if not strings and (found := _few(text, width)) is not None:
        return found
    frame = _read(io.StringIO(text), "the request", [column - 1 for column in strings])
    if frame.shape[1] != width:
        hint = " Leave the target out." if frame.shape[1] == width + 1 else ""
        raise Refused(f"A row of the request has {frame.shape[1]} columns; the model was trained with {width}.{hint}")
    return _features(frame, [column - 1 for column in strings], 0, "the request")


def _few(text: str, width: int) -> pd.DataFrame | None:
    """A few rows of nothing but short numbers; None for any other text."""
    lines = text.strip("\n").split("\n")
    if len(lines) > FEW:
        return None
    rows = [line.split(",") for line in lines]
    if any(len(row) != width for row in rows) or not all(SHORT.fullmatch(field) for row in rows for field in row):
        return None
    return pd.DataFrame(np.array(rows, dtype=np.float64), columns=_names(width), copy=False)


@lru_cache(maxsize=1)
def _names(width: int) -> pd.Index:
    return pd.Index([f"feature_{number}" for number in range(width)])


def _text_columns(data: Data) -> tuple[int, ...]:
    """Columns of features that hold text in any of the files: they have to be read as text from all of them."""
    frames = [_read(path, path.name, data.categorical) for path in (*data.training, *data.validation)]
    found = {number for frame in frames for number, kind in enumerate(frame.dtypes) if not _is_number(kind)}
    return tuple(sorted(found - {0, *data.categorical}))


def _table(paths: Sequence[Path], categorical: Sequence[int], text: tuple[int, ...]) -> Table:
    frames = [_one(path, categorical, text) for path in paths]
    widths = {frame.shape[1]: path.name for frame, path in zip(frames, paths, strict=True)}
    if len(widths) > 1:
        told = ", ".join(f"{name} has {width}" for width, name in widths.items())
        raise Refused(f"All CSV files must have the same number of columns: {told}.")
    features = pd.concat([frame.iloc[:, 1:] for frame in frames], ignore_index=True)
    target = pd.concat([frame.iloc[:, 0] for frame in frames], ignore_index=True)
    if target.isna().any():
        raise Refused(f"The target (the first column) is missing in row {int(np.argmax(target.isna())) + 1}.")
    return Table(features, target, text)


def _one(path: Path, categorical: Sequence[int], text: Sequence[int]) -> pd.DataFrame:
    """One file: column 0 as it was read, the others as features."""
    strings = [*categorical, *text]
    frame = _read(path, path.name, strings)
    if frame.shape[1] < 2:
        raise Refused(f"{path.name} has {frame.shape[1]} column; there have to be a target and at least one feature.")
    beyond = [column for column in categorical if column >= frame.shape[1]]
    if beyond:
        raise Refused(f"categorical_index.json lists column {beyond[0]}; the last column of {path.name} is "
                      f"{frame.shape[1] - 1}.")  # fmt: skip
    features = _features(frame.iloc[:, 1:], [column - 1 for column in strings], 1, path.name)
    return pd.concat([frame.iloc[:, 0], features], axis=1)


def _read(source: Any, name: str, text_columns: Sequence[int]) -> pd.DataFrame:
    try:
        return pd.read_csv(source, header=None, dtype=dict.fromkeys(text_columns, str), skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise Refused(f"There are no rows in {name}.") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Refused(f"{name[0].upper()}{name[1:]} is no CSV that can be read: {str(error).strip()}") from None


def _features(frame: pd.DataFrame, strings: Sequence[int], first: int, name: str) -> pd.DataFrame:
    frame = frame.set_axis(_names(frame.shape[1]), axis=1).copy()
    numbers = [column for number, column in enumerate(frame.columns) if number not in strings]
    for column in numbers:
        if not _is_number(frame[column].dtype):
            raise _text(frame[column], frame.columns.get_loc(column) + first, name)
    for column in frame.columns.difference(numbers, sort=False):
        frame[column] = frame[column].fillna("").astype(str)
    return frame.astype(dict.fromkeys(numbers, np.float64))


def _is_number(kind: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(kind))


def _text(column: pd.Series, number: int, name: str) -> Refused:
    bad = pd.to_numeric(column, errors="coerce").isna() & column.notna()
    row = int(np.argmax(bad))
    return Refused(
        f"Column {number} of {name} holds text ({str(column.iloc[row])!r} in row {row + 1}) where a number is "
        "expected. CSV has no header; encode text as numbers, or list the column in categorical_index.json."
    )


def _part(table: Table, rows: np.ndarray) -> Table:
    return Table(table.features.iloc[rows].reset_index(drop=True), table.target.iloc[rows].reset_index(drop=True))


def _same_width(training: Table, validation: Table) -> None:
    ours, theirs = training.features.shape[1], validation.features.shape[1]
    if ours != theirs:
        raise Refused(f"The training data has {ours} features, the validation data {theirs}. They have to be the same.")
