"""The hyperparameters of a job, read as the model's specification declares them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from common.failing import Refused

NUMBERS = {"int": "an integer", "float": "a number"}


def read(declared: list[Mapping[str, Any]], given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every declared hyperparameter with its value; what is not declared is named in the log and not used."""
    if given is None:
        given = json.loads(os.environ.get("SM_HPS", "{}"))
    names = [row["name"] for row in declared]
    unknown = sorted(set(given) - set(names))
    if unknown:
        print(f"Not used, for this model has no such hyperparameters: {', '.join(unknown)}.", flush=True)
    return {row["name"]: _value(row, given.get(row["name"], row["default"])) for row in declared}


def _value(row: Mapping[str, Any], given: Any) -> Any:
    if row["type"] == "text":
        return _word(row, str(given))
    try:
        number = float(str(given))
        value: Any = int(number) if row["type"] == "int" else number
        if value != number:
            raise ValueError(given)
    except (ValueError, OverflowError):
        raise _refused(row, given) from None
    if not _within(row, value):
        raise _refused(row, given)
    return value


def _word(row: Mapping[str, Any], given: str) -> str:
    options = row.get("options")
    if not options:
        return given
    # `true` and `false` arrive as JSON's when they were written in lower case.
    found = [option for option in options if option.lower() == given.lower()]
    if not found:
        raise _refused(row, given)
    return str(found[0])


def _within(row: Mapping[str, Any], value: float) -> bool:
    return (
        value == value
        and ("min" not in row or value >= row["min"])
        and ("max" not in row or value <= row["max"])
        and ("exclusive_min" not in row or value > row["exclusive_min"])
        and ("exclusive_max" not in row or value < row["exclusive_max"])
    )


def _refused(row: Mapping[str, Any], given: Any) -> Refused:
    return Refused(f"The hyperparameter {row['name']} is {given!r}; it has to be {allowed(row)}.")


def allowed(row: Mapping[str, Any]) -> str:
    """What a hyperparameter may be, in words."""
    if row["type"] == "text":
        return "one of " + ", ".join(row["options"]) if row.get("options") else "text"
    bounds = [
        f"{words} {row[member]}"
        for member, words in (
            ("min", "at least"), ("exclusive_min", "above"), ("max", "at most"), ("exclusive_max", "below"),
        )
        if member in row
    ]  # fmt: skip
    return " ".join([NUMBERS[row["type"]], " and ".join(bounds)]).strip()
