"""Targets: numbers to be predicted, or labels, which are the classes in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from common.failing import Refused
from tabular.table import Table

CLASSIFICATION = "classification"


def numbers(table: Table) -> np.ndarray:
    """The targets of a regression."""
    found = pd.to_numeric(table.target, errors="coerce")
    bad = found.isna()
    if bad.any():
        raise Refused(
            f"The target (the first column) is {table.target[bad].iloc[0]!r} in row {int(np.argmax(bad)) + 1}; a "
            "regression predicts numbers, and CSV has no header."
        )
    return found.to_numpy(np.float64)


def seen(table: Table) -> list[Any]:
    """The different targets: numbers where all are, else text."""
    return [_plain(each) for each in table.target.unique()]


def labels(found: list[Any]) -> list[Any]:
    """The labels, sorted, of which all hosts' training data have had these."""
    found = list(dict.fromkeys(found))
    if any(isinstance(each, float) for each in found):
        raise Refused(
            "The target (the first column) holds numbers with a fraction; a classification expects labels. Use the "
            "regression model for such a target."
        )
    if len(found) < 2:
        raise Refused(f"The training data has one label only ({found[0]!r}); a classification needs at least two.")
    return sorted(found, key=lambda each: (isinstance(each, str), each))


def classes(table: Table, known: list[Any]) -> np.ndarray:
    """The class (its place among the labels) of each row."""
    places = {label: place for place, label in enumerate(known)}
    found = [_plain(each) for each in table.target]
    strange = next((each for each in found if each not in places), None)
    if strange is not None:
        raise Refused(f"The validation data has the label {strange!r}, which the training data has not.")
    return np.array([places[each] for each in found], dtype=np.int64)


def _plain(value: Any) -> Any:
    if isinstance(value, (str, bool)):
        return str(value)
    number = float(value)
    return int(number) if number.is_integer() else number
