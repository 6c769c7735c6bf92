"""Time series as a channel and a request give them: `start`, `target`, `cat` and `dynamic_feat`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.deepar.frequency import Frequency

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = {int, float, type(None)}


@dataclass(frozen=True)
class Series:
    """`start` is a place of the frequency; `target` (n,) has NaN where it is missing; `dynamic` (features, steps)."""

    start: int
    target: NDArray[np.float64]
    cat: tuple[int, ...] = ()
    dynamic: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.target)


def parse(record: Any, frequency: Frequency) -> Series:
    """A record of JSON; ValueError with what is wrong."""
    if not isinstance(record, Mapping):
        raise ValueError("a time series is an object with 'start' and 'target'")
    for name in ("start", "target"):
        if name not in record:
            raise ValueError(f"a time series has no '{name}'")
    try:
        start = frequency.place(record["start"])
    except (ValueError, AttributeError, TypeError) as error:
        why = f": {error}" if "zone" in str(error) else ", which is to be YYYY-MM-DD HH:MM:SS"
        raise ValueError(f"'start' is {record['start']!r}{why}") from error
    target = numbers(record["target"], "target")
    return Series(start, target, _categories(record.get("cat")), _dynamic(record.get("dynamic_feat")))


def numbers(given: Any, name: str) -> NDArray[np.float64]:
    """Numbers, NaN where one is null or "NaN"; ValueError for anything else."""
    if not isinstance(given, list):
        raise ValueError(f"'{name}' is no list of numbers")
    kinds = {type(value) for value in given}
    if not kinds <= NUMBERS:
        given = [None if value == "NaN" else value for value in given]
        if wrong := [value for value in given if type(value) not in NUMBERS]:
            raise ValueError(f"'{name}' has {str(wrong[0])[:30]!r}, which is no number")
    try:
        found = np.array(given, dtype=np.float64)
    except OverflowError as error:
        raise ValueError(f"'{name}' has a number that is too large: {error}") from error
    if np.isinf(found).any():
        raise ValueError(f"'{name}' has an infinite number")
    return found


def _categories(given: Any) -> tuple[int, ...]:
    found = [] if given is None else given if isinstance(given, list) else [given]
    if any(type(one) is not int or one < 0 for one in found):
        raise ValueError(f"'cat' is {str(given)[:50]}: categories are whole numbers from 0")
    return tuple(found)


def _dynamic(given: Any) -> NDArray[np.float64] | None:
    if given is None or given == []:
        return None
    if not isinstance(given, list):
        raise ValueError("'dynamic_feat' is no list of series")
    rows = [numbers(one, "dynamic_feat") for one in given]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"the series of 'dynamic_feat' differ in length: {sorted({len(row) for row in rows})}")
    found = np.array(rows, dtype=np.float64)
    if np.isnan(found).any():
        raise ValueError("'dynamic_feat' has a missing value, which is allowed in 'target' alone")
    return found


def fitted(one: Series, cardinality: Sequence[int], features: int, beyond: int = 0) -> Series:
    """The series with what the model takes of it and no more; ValueError when it lacks something. `beyond` are the
    steps after its target that its features must tell too."""
    cat, dynamic = one.cat if cardinality else (), one.dynamic if features else None
    if len(cat) != len(cardinality):
        raise ValueError(f"'cat' has {len(cat)} categories, and {len(cardinality)} are expected")
    for value, size in zip(cat, cardinality, strict=True):
        if value >= size:
            raise ValueError(f"'cat' is {list(cat)}, and the cardinality is {list(cardinality)}: they count from 0")
    if features:
        found = 0 if dynamic is None else len(dynamic)
        if found != features:
            raise ValueError(f"'dynamic_feat' has {found} series, and {features} are expected")
        if dynamic is not None and dynamic.shape[1] != len(one) + beyond:
            wanted = f"{len(one)} of 'target'" + (f" and {beyond} of the prediction" if beyond else "")
            raise ValueError(f"'dynamic_feat' has {dynamic.shape[1]} steps, and there are {wanted}")
    return Series(one.start, one.target, cat, dynamic)


def packed(series: Sequence[Series]) -> NDArray[np.float64]:
    """Series as one column of numbers, which hosts can hand to each other."""
    parts: list[Any] = []
    for one in series:
        dynamic = np.zeros((0, 0)) if one.dynamic is None else one.dynamic
        parts += [[one.start, len(one), len(one.cat), one.dynamic is not None, *dynamic.shape], one.cat, one.target]
        parts.append(dynamic.ravel())
    return np.concatenate(parts, dtype=np.float64).reshape(-1, 1) if parts else np.zeros((0, 1))


def unpacked(column: NDArray[np.float64]) -> Iterator[Series]:
    """The series of `packed`."""
    flat, at = column.ravel(), 0

    def take(count: int) -> NDArray[np.float64]:
        nonlocal at
        at += count
        return flat[at - count : at]

    while at < len(flat):
        start, length, categories, has, rows, steps = (int(value) for value in take(6))
        cat = tuple(int(value) for value in take(categories))
        target, dynamic = take(length), take(rows * steps).reshape(rows, steps)
        yield Series(start, target, cat, dynamic if has else None)
