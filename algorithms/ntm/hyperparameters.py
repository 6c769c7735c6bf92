"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/ntm_hyperparameters.html, ntm-tuning.html."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms.common.hyperparameters import (
    FREE_TEXT,
    Categorical,
    Float,
    Hyperparameter,
    Integer,
    Interval,
    Switch,
    Tunable,
)
from algorithms.ntm.layers import ACTIVATIONS
from algorithms.ntm.optimizers import METHODS

UNIT = Interval(0, 1)


@dataclass(frozen=True)
class Sizes(Hyperparameter):
    """Sizes of layers, separated by commas, with or without the brackets of JSON."""

    def valid(self) -> list[str]:
        return ["100", "64,32", "[64, 32]"]

    def invalid(self) -> list[str]:
        return ["", "0", "64,", "64,-1", "[1.5]", "many"]

    def says(self) -> str:
        return "of positive integers, separated by commas"

    def _parse(self, text: str) -> Any:
        return [int(part) for part in text.strip().removeprefix("[").removesuffix("]").split(",")]

    def _holds(self, value: Any) -> bool:
        return all(size > 0 for size in value)


@dataclass(frozen=True)
class OrInfinite(Float):
    """A number, or none of them: Infinity."""

    service_type: ClassVar[str] = FREE_TEXT

    def invalid(self) -> list[str]:
        return [text for text in super().invalid() if text != "inf"]

    def _parse(self, text: str) -> Any:
        return math.inf if text.lower() in ("inf", "infinity") else super()._parse(text)


DECLARED: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=Interval(1, 1_000_000), remark="the number of words"),
    Integer("num_topics", required=True, range=Interval(2, 1000)),
    Switch("batch_norm", default=False),
    OrInfinite("clip_gradient", range=Interval(1e-3), default=math.inf, remark="of each number of a gradient"),
    Sizes("encoder_layers", default="auto", auto=True, remark="auto is 3 and 2 times num_topics"),
    Categorical("encoder_layers_activation", range=tuple(ACTIVATIONS), default="sigmoid",
                tunable=Tunable(words=tuple(ACTIVATIONS))),
    Integer("epochs", range=Interval(1), default=50),
    Float("learning_rate", range=Interval(1e-6, 1.0), default=0.001, tunable=Tunable(1e-4, 0.1, "Logarithmic"),
          remark="not of adadelta"),
    Integer("mini_batch_size", range=Interval(1, 10000), default=256, tunable=Tunable(16, 2048)),
    Integer("num_patience_epochs", range=Interval(1), default=3, remark="so many bad epochs in a row end the training"),
    Categorical("optimizer", range=tuple(METHODS), default="adadelta",
                tunable=Tunable(words=("sgd", "adam", "adadelta"))),
    Float("rescale_gradient", range=Interval(1e-3, 1.0), default=1.0, tunable=Tunable(0.1, 1.0)),
    Float("sub_sample", range=UNIT, default=1.0, remark="the part of the documents that an epoch takes"),
    Float("tolerance", range=Interval(1e-6, 0.1), default=0.001, remark="relative improvement below it is none"),
    Float("weight_decay", range=UNIT, default=0.0, tunable=Tunable(0.0, 1.0)),
)  # fmt: skip
