"""Hyperparameters as values: each declares its type, range and default, reads its text, and makes samples.

How a refusal is worded is the image's business: the XGBoost container's words stand here, those of Amazon's own
algorithms in `first_party.wording`. Checks that involve several hyperparameters belong to the algorithm, which hands
them in as functions of all parsed values.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from algorithms.common.faults import UserError

CrossCheck = Callable[[Mapping[str, Any]], None]
"""Raises UserError when values contradict each other."""
AUTO = "auto"
INTEGER, CONTINUOUS, CATEGORICAL, FREE_TEXT = "Integer", "Continuous", "Categorical", "FreeText"


@dataclass(frozen=True)
class Interval:
    """An interval of numbers; `open_low` and `open_high` exclude the ends."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        left = "(-inf" if self.low == -math.inf else f"{'(' if self.open_low else '['}{self.low}"
        right = "+inf)" if self.high == math.inf else f"{self.high}{')' if self.open_high else ']'}"
        return f"{left}, {right}"

    def inside(self) -> list[float]:
        """Some values of the interval, its closed ends among them."""
        low = self.low if math.isfinite(self.low) else min(self.high, 1.0) - 1
        high = self.high if math.isfinite(self.high) else low + 2
        ends = [v for v, excluded in ((low, self.open_low), (high, self.open_high)) if not excluded]
        return [low + (high - low) / 2, *ends]

    def outside(self) -> list[float]:
        """Some values next to the interval."""
        below = [] if math.isinf(self.low) else [self.low if self.open_low else self.low - 1]
        above = [] if math.isinf(self.high) else [self.high if self.open_high else self.high + 1]
        return below + above


class Wording(Protocol):
    """How an image words its refusals."""

    def missing(self, names: Sequence[str]) -> str: ...

    def extraneous(self, names: Sequence[str]) -> str: ...

    def unreadable(self, one: Hyperparameter, text: str, error: Exception) -> str: ...

    def outside(self, one: Hyperparameter, value: Any) -> str: ...


class XGBoostWording:
    """https://github.com/aws/sagemaker-xgboost-container, `sagemaker_algorithm_toolkit`."""

    def missing(self, names: Sequence[str]) -> str:
        return f"Missing required hyperparameter: {names[0]}"

    def extraneous(self, names: Sequence[str]) -> str:
        return f"Extraneous hyperparameter found: {names[0]}"

    def unreadable(self, one: Hyperparameter, text: str, error: Exception) -> str:
        return f"Hyperparameter {one.name}: could not parse value {text!r} (caused by {type(error).__name__})"

    def outside(self, one: Hyperparameter, value: Any) -> str:
        return f"Hyperparameter {one.name}: value {value} not in range {one.says()}"


XGBOOST = XGBoostWording()


@dataclass(frozen=True)
class Tunable:
    """The range in which a tuning job searches: numbers with a scaling (Linear, Logarithmic), or words."""

    low: float = 0
    high: float = 0
    scaling: str = "Linear"
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hyperparameter:
    """One declared hyperparameter. Subclasses say how text becomes a value, what is in range, and what the service's
    ParameterType of it is.

    `default` is the value that the algorithm takes when none is given, None for none; `auto` is whether the word `auto`
    is accepted too, which stays a word, and `words` are further such words; `tunable` is the recommended range of a
    tuning job, None for no tuning.
    """

    service_type: ClassVar[str] = FREE_TEXT

    name: str
    required: bool = False
    alias: str = ""
    default: Any = None
    auto: bool = False
    words: tuple[str, ...] = ()
    tunable: Tunable | None = None
    remark: str = ""

    def read(self, text: str, wording: Wording = XGBOOST) -> Any:
        """The value, or UserError in the service's words."""
        if (self.auto and text == AUTO) or text in self.words:
            return text
        try:
            value = self._parse(text)
        except (ValueError, KeyError, SyntaxError, TypeError, OverflowError) as error:
            raise UserError(wording.unreadable(self, text, error)) from error
        if not self._holds(value):
            raise UserError(wording.outside(self, value))
        return value

    def says(self) -> str:
        """The range in a word or two, for messages and documents."""
        return self._range()

    def valid(self) -> list[str]:
        """Texts that must be accepted."""
        raise NotImplementedError

    def invalid(self) -> list[str]:
        """Texts that must be refused."""
        raise NotImplementedError

    def _parse(self, text: str) -> Any:
        return text

    def _holds(self, value: Any) -> bool:
        return True

    def _range(self) -> str:
        return ""


@dataclass(frozen=True)
class Float(Hyperparameter):
    """A finite number of an interval."""

    service_type: ClassVar[str] = CONTINUOUS

    range: Interval = Interval()

    def valid(self) -> list[str]:
        return [repr(v) for v in self.range.inside()]

    def invalid(self) -> list[str]:
        return [repr(v) for v in self.range.outside()] + ["many", "", "nan", "inf"]

    def _parse(self, text: str) -> Any:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(text)
        return value

    def _holds(self, value: Any) -> bool:
        return value in self.range

    def _range(self) -> str:
        return str(self.range)


@dataclass(frozen=True)
class Integer(Float):
    """A whole number of an interval."""

    service_type: ClassVar[str] = INTEGER

    def valid(self) -> list[str]:
        return sorted({str(round(v)) for v in self.range.inside() if round(v) in self.range})

    def invalid(self) -> list[str]:
        return [str(math.floor(v)) for v in self.range.outside()] + ["1.5", "many", ""]

    def _parse(self, text: str) -> Any:
        return int(text)


@dataclass(frozen=True)
class Categorical(Hyperparameter):
    """One word of a list."""

    service_type: ClassVar[str] = CATEGORICAL

    range: tuple[str, ...] = ()

    def valid(self) -> list[str]:
        return list(self.range)

    def invalid(self) -> list[str]:
        return ["no such word", ""]

    def _holds(self, value: Any) -> bool:
        return value in self.range

    def _range(self) -> str:
        return str(list(self.range))


@dataclass(frozen=True)
class Switch(Categorical):
    """True or false, in any of the ways that programs spell them; the value is a bool."""

    range: tuple[str, ...] = ("true", "false")

    def valid(self) -> list[str]:
        return ["true", "True", "1", "false", "False", "0"]

    def _parse(self, text: str) -> Any:
        return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]

    def _holds(self, value: Any) -> bool:
        return True


@dataclass(frozen=True)
class Words(Categorical):
    """A list of words, as JSON (`["msd", "ssd"]`) or with bare words (`[msd,ssd]`, `msd,ssd`)."""

    service_type: ClassVar[str] = FREE_TEXT

    def valid(self) -> list[str]:
        return [f'["{self.range[0]}"]', f"[{','.join(self.range)}]", self.range[0]]

    def invalid(self) -> list[str]:
        return ['["no such word"]', "[]", ""]

    def _parse(self, text: str) -> Any:
        return tuple(word.strip().strip("\"'") for word in text.strip().strip("[]").split(","))

    def _holds(self, value: Any) -> bool:
        return all(word in self.range for word in value)


@dataclass(frozen=True)
class CommaList(Categorical):
    """Words of a list, separated by commas. `extra` accepts words that the list cannot spell (`error@0.7`)."""

    service_type: ClassVar[str] = FREE_TEXT

    extra: Callable[[str], bool] = field(default=lambda word: False)

    def valid(self) -> list[str]:
        return [self.range[0], ",".join(self.range[:2])]

    def invalid(self) -> list[str]:
        return ["no such word", f"{self.range[0]},", ""]

    def _parse(self, text: str) -> Any:
        return [word.strip() for word in text.split(",")]

    def _holds(self, value: Any) -> bool:
        return all(word in self.range or self.extra(word) for word in value)


@dataclass(frozen=True)
class Tuple(Hyperparameter):
    """A tuple of numbers of a list, written as Python writes it: `(1, 0, -1)`."""

    range: tuple[int, ...] = ()

    def valid(self) -> list[str]:
        return [str(self.range), f"({self.range[0]},)"]

    def invalid(self) -> list[str]:
        return [f"({max(self.range) + 1},)", "no tuple", "1", "(1, 'a')", "__import__('os')"]

    def _parse(self, text: str) -> Any:
        value = ast.literal_eval(text)
        if not isinstance(value, tuple | list):
            raise ValueError(text)
        return tuple(value)

    def _holds(self, value: Any) -> bool:
        return all(type(element) is int and element in self.range for element in value)

    def _range(self) -> str:
        return str(list(self.range))


@dataclass(frozen=True)
class NestedList(Hyperparameter):
    """Lists of whole numbers in a list: `[[0, 1], [2, 3]]`."""

    range: Interval = Interval()

    def valid(self) -> list[str]:
        return ["[[1, 2], [3, 4]]", "[[1]]"]

    def invalid(self) -> list[str]:
        return ["[1, 2]", "[[1, 'a']]", "nothing", "{}"]

    def _parse(self, text: str) -> Any:
        value = ast.literal_eval(text)
        if not isinstance(value, list) or not all(isinstance(inner, list) for inner in value):
            raise ValueError(text)
        return value

    def _holds(self, value: Any) -> bool:
        return all(type(element) is int and element in self.range for inner in value for element in inner)

    def _range(self) -> str:
        return str(self.range)


def validate(
    declared: Sequence[Hyperparameter],
    given: Mapping[str, str],
    checks: Iterable[CrossCheck] = (),
    wording: Wording = XGBOOST,
) -> dict[str, Any]:
    """The values of `given`, aliases replaced by their names; UserError on the first thing that is wrong."""
    known = {one.name: one for one in declared}
    aliases = {one.alias: one.name for one in declared if one.alias}
    named = {aliases.get(name, name): text for name, text in given.items()}
    if missing := [one.name for one in declared if one.required and one.name not in named]:
        raise UserError(wording.missing(missing))
    if unknown := [name for name in named if name not in known]:
        raise UserError(wording.extraneous(unknown))
    values = {name: known[name].read(text, wording) for name, text in named.items()}
    for check in checks:
        check(values)
    return values


def defaults(declared: Sequence[Hyperparameter]) -> dict[str, Any]:
    """The values of those that have a default."""
    return {one.name: one.default for one in declared if one.default is not None}
