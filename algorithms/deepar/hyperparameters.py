"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/deepar_hyperparameters.html and deepar-tuning.html."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms.common.hyperparameters import FREE_TEXT, Categorical, Float, Hyperparameter, Integer, Interval, Tunable
from algorithms.deepar.frequency import Frequency

LIKELIHOODS = ("gaussian", "beta", "negative-binomial", "student-T", "deterministic-L1")
IGNORE = "ignore"
POSITIVE = Interval(0, open_low=True)


@dataclass(frozen=True)
class TimeFrequency(Hyperparameter):
    """The step of the series: M, W, D, H or min, or a multiple of one."""

    def valid(self) -> list[str]:
        return ["M", "W", "D", "H", "min", "5min", "2H"]

    def invalid(self) -> list[str]:
        return ["", "Y", "0min", "5", "1.5H", "minutes"]

    def says(self) -> str:
        return "M, W, D, H or min, or a multiple such as 5min"

    def _parse(self, text: str) -> Any:
        return Frequency.parse(text)


@dataclass(frozen=True)
class Likelihood(Categorical):
    """A name of a distribution; the image's own default is spelled `student-t`, its documents say `student-T`."""

    def _parse(self, text: str) -> Any:
        return next((one for one in self.range if one.lower() == text.strip().lower()), text)


@dataclass(frozen=True)
class OrNone(Integer):
    """A whole number; an empty text means that there is none."""

    service_type: ClassVar[str] = FREE_TEXT

    def invalid(self) -> list[str]:
        return [text for text in super().invalid() if text not in ("", "0")]

    def _parse(self, text: str) -> Any:
        return int(text) if text.strip() else 0

    def _holds(self, value: Any) -> bool:
        return value == 0 or value in self.range


@dataclass(frozen=True)
class Cardinality(Hyperparameter):
    """How many values each category has, as JSON; an empty text means that there are no categories."""

    def valid(self) -> list[str]:
        return ["[4]", "[2, 10]", "", "[]"]

    def invalid(self) -> list[str]:
        return ["4", "[0]", "[1.5]", "many", '["a"]', "[true]"]

    def says(self) -> str:
        return "[4, 10]"

    def _parse(self, text: str) -> Any:
        return json.loads(text) if text.strip() else []

    def _holds(self, value: Any) -> bool:
        return isinstance(value, list) and all(type(one) is int and one > 0 for one in value)


@dataclass(frozen=True)
class Quantiles(Hyperparameter):
    """Numbers between 0 and 1, as JSON."""

    def valid(self) -> list[str]:
        return ["[0.5]", "[0.1, 0.9]", '["0.5"]']

    def invalid(self) -> list[str]:
        return ["0.5", "[]", "[0]", "[1.0]", "[1.5]", "many", ""]

    def says(self) -> str:
        return "between 0 and 1"

    def _parse(self, text: str) -> Any:
        found = json.loads(text)
        if not isinstance(found, list):
            raise ValueError(text)
        return [float(one) for one in found]

    def _holds(self, value: Any) -> bool:
        return bool(value) and all(0 < one < 1 for one in value)


DECLARED: tuple[Hyperparameter, ...] = (
    Integer("context_length", required=True, range=Interval(1), tunable=Tunable(1, 200),
            remark="the steps that are seen before a forecast; lagged values reach further back"),
    Integer("epochs", required=True, range=Interval(1), tunable=Tunable(1, 1000)),
    Integer("prediction_length", required=True, range=Interval(1), remark="the steps that are forecast"),
    TimeFrequency("time_freq", required=True),
    Cardinality("cardinality", default="auto", auto=True, words=(IGNORE,),
                remark="how many values each of the categories `cat` has"),
    Float("dropout_rate", range=Interval(0, 1, open_high=True), default=0.1, tunable=Tunable(0.0, 0.2)),
    OrNone("early_stopping_patience", range=Interval(1), remark="epochs without a lower loss that end the training"),
    Integer("embedding_dimension", range=Interval(1), default=10, tunable=Tunable(1, 50), remark="of each category"),
    Float("learning_rate", range=POSITIVE, default=0.001, tunable=Tunable(1e-5, 0.1)),
    Likelihood("likelihood", range=LIKELIHOODS, default="student-T"),
    Integer("mini_batch_size", range=Interval(1), default=128, tunable=Tunable(32, 1028)),
    Integer("num_cells", range=Interval(1), default=40, tunable=Tunable(30, 200)),
    OrNone("num_dynamic_feat", range=Interval(1), default="auto", auto=True, words=(IGNORE,),
           remark="how many series `dynamic_feat` has"),
    Integer("num_eval_samples", range=Interval(1), default=100, remark="paths with which the test channel is forecast"),
    Integer("num_layers", range=Interval(1), default=2, tunable=Tunable(1, 8)),
    Quantiles("test_quantiles", default=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
)  # fmt: skip
