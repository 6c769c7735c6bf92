"""The subset of JSONPath that DataProcessing knows: `$`, `.name`, `['a','b']`, `[1,-1]`, `[2:5]`, `*`. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html (operators and functions).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(
    r"""
      \.(?P<name>[^.\[\]*'"()?@\s]+)
    | \.?(?P<star>\*)
    | \[\s*(?P<any>\*)\s*\]
    | \[\s*(?P<names>(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))*)\s*\]
    | \[\s*(?P<indexes>-?\d+(?:\s*,\s*-?\d+)*)\s*\]
    | \[\s*(?P<start>-?\d+)?\s*:\s*(?P<end>-?\d+)?\s*\]
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


class NoMatch(Exception):
    """The document has not what the path names; the message says what is missing."""


@dataclass(frozen=True)
class Many:
    """Several values on the way, each of which the next step is applied to."""

    values: tuple[Any, ...]


Step = Callable[[Any], Any]


@dataclass(frozen=True)
class Path:
    """A compiled path."""

    text: str
    steps: tuple[Step, ...]

    @property
    def whole(self) -> bool:
        """Whether it is `$`: everything, unchanged."""
        return not self.steps

    def pick(self, document: Any) -> Any:
        """What the path names in `document`; `NoMatch` when that is not there."""
        value = document
        for step in self.steps:
            value = Many(tuple(step(each) for each in value.values)) if isinstance(value, Many) else step(value)
        return _plain(value)


def parse(text: str) -> Path:
    """The path that `text` spells; `ValueError` says where it leaves the subset."""
    if not text.startswith("$"):
        raise ValueError(f"the JSONPath {text!r} does not begin with $")
    return Path(text, tuple(_steps(text)))


def _steps(text: str) -> Iterator[Step]:
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"the JSONPath {text!r} is not supported from {text[at:]!r} on")
        yield _step(match)
        at = match.end()


def _step(match: re.Match[str]) -> Step:
    if match["name"] is not None:
        return _child(match["name"])
    if match["star"] or match["any"]:
        return _everything
    if match["names"]:
        names = [single or double for single, double in _QUOTED.findall(match["names"])]
        return _child(names[0]) if len(names) == 1 else _children(names)
    if match["indexes"]:
        indexes = [int(index) for index in match["indexes"].split(",")]
        return _element(indexes[0]) if len(indexes) == 1 else _elements(indexes)
    return _slice(match["start"], match["end"])


def _child(name: str) -> Step:
    def step(value: Any) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise NoMatch(f"there is no member {name!r}")
        return value[name]

    return step


def _children(names: list[str]) -> Step:
    def step(value: Any) -> Any:
        return {name: _child(name)(value) for name in names}

    return step


def _element(index: int) -> Step:
    def step(value: Any) -> Any:
        if not isinstance(value, list) or not -len(value) <= index < len(value):
            raise NoMatch(f"there is no element {index}")
        return value[index]

    return step


def _elements(indexes: list[int]) -> Step:
    def step(value: Any) -> Any:
        return Many(tuple(_element(index)(value) for index in indexes))

    return step


def _slice(start: str | None, end: str | None) -> Step:
    bounds = slice(int(start) if start else None, int(end) if end else None)

    def step(value: Any) -> Any:
        if not isinstance(value, list):
            raise NoMatch("there is no array to take a slice of")
        return Many(tuple(value[bounds]))

    return step


def _everything(value: Any) -> Any:
    if isinstance(value, dict):
        return Many(tuple(value.values()))
    if isinstance(value, list):
        return Many(tuple(value))
    raise NoMatch("there is no array or object of which * could be the elements")


def _plain(value: Any) -> Any:
    if isinstance(value, Many):
        return [_plain(each) for each in value.values]
    return value
