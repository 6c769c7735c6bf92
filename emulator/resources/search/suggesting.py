"""The names of properties that a search may use, and which of them a hint means.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetSearchSuggestions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from emulator.resources.search.searchable import Searchable

if TYPE_CHECKING:
    from botocore.model import Shape

DEPTH = 6

KEYED = {"HyperParameters": "hyperparameters", "Tags": "tags", "Parameters": "parameters"}
"""Members whose names are the callers', with the word for them in suggestions ("Get Suggestions for a Search" in the
developer guide shows `hyperparameters.linear_lr`)."""

METRICS = ("FinalMetricDataList", "Metrics")


def declared(what: Searchable) -> Iterator[str]:
    """The names that the model gives."""
    yield from _within(what.shape, (), DEPTH)


def _within(shape: Shape, path: tuple[str, ...], depth: int) -> Iterator[str]:
    while shape.type_name == "list":
        shape = shape.member
    if path:
        yield ".".join(path)
    if shape.type_name == "structure" and depth and not (path and path[-1] in (*KEYED, *METRICS)):
        for name, member in shape.members.items():
            yield from _within(member, (*path, name), depth - 1)


def used(bodies: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The names that records have given their own: hyperparameters, metrics, tags."""
    for body in bodies:
        for member, word in KEYED.items():
            yield from (f"{word}.{key}" for key in _keys(body.get(member)))
        for member in METRICS:
            yield from (f"metrics.{one['MetricName']}" for one in body.get(member) or () if "MetricName" in one)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
    for one in value if isinstance(value, (list, tuple)) else ():
        if isinstance(one, Mapping) and "Key" in one:
            yield one["Key"]


def hinted(names: Iterable[str], hint: str) -> list[str]:
    """Those that begin with the hint, or whose part behind the first dot does; in any case of letters."""
    wanted = hint.lower()
    return sorted({name for name in names if any(one.startswith(wanted) for one in _beginnings(name.lower()))})


def _beginnings(name: str) -> Iterator[str]:
    yield name
    if "." in name:
        yield name.partition(".")[2]
