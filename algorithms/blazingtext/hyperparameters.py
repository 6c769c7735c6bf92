"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/blazingtext_hyperparameters.html and -tuning.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Switch, Tunable

BATCH_SKIPGRAM, SKIPGRAM, CBOW, SUPERVISED = "batch_skipgram", "skipgram", "cbow", "supervised"
MODES = (BATCH_SKIPGRAM, SKIPGRAM, CBOW, SUPERVISED)
POSITIVE = Interval(0, open_low=True)
WORDS_ONLY = (
    "batch_size", "evaluation", "min_char", "max_char", "negative_samples", "sampling_threshold", "subwords",
    "window_size",
)  # fmt: skip
TEXTS_ONLY = ("early_stopping", "min_epochs", "patience", "word_ngrams")

DECLARED: tuple[Hyperparameter, ...] = (
    Categorical("mode", required=True, range=MODES, tunable=Tunable(words=MODES[:3])),
    Integer("batch_size", range=Interval(1), default=11, tunable=Tunable(8, 32), remark="of batch_skipgram"),
    Integer("buckets", range=Interval(1), default=2_000_000, tunable=Tunable(1_000_000, 10_000_000)),
    Switch("early_stopping", default=False, remark="of supervised, with a validation channel"),
    Integer("epochs", range=Interval(1), default=5, tunable=Tunable(5, 15)),
    Switch("evaluation", default=True, remark="on WordSim-353, where it is there"),
    Float("learning_rate", range=POSITIVE, default=0.05, tunable=Tunable(0.005, 0.01)),
    Integer("min_char", range=Interval(1), default=3, remark="with subwords"),
    Integer("max_char", range=Interval(1), default=6, remark="with subwords"),
    Integer("min_count", range=Interval(0), default=5, tunable=Tunable(0, 100)),
    Integer("min_epochs", range=Interval(1), default=5, remark="of supervised, before it stops early"),
    Integer("negative_samples", range=Interval(1), default=5, tunable=Tunable(5, 25)),
    Integer("patience", range=Interval(1), default=4, remark="of supervised: epochs without a better accuracy"),
    Float("sampling_threshold", range=Interval(0, 1, open_low=True), default=0.0001, tunable=Tunable(0.0001, 0.001)),
    Switch("subwords", default=False, remark="of skipgram and cbow"),
    Integer("vector_dim", range=Interval(1), default=100, tunable=Tunable(32, 300)),
    Integer("window_size", range=Interval(1), default=5, tunable=Tunable(1, 10)),
    Integer("word_ngrams", range=Interval(1), default=2, tunable=Tunable(1, 3), remark="of supervised"),
)


def no_subwords_in_batches(values: Mapping[str, Any]) -> None:
    """ "Whether to learn subword embeddings": not in the mode that scales out."""
    if values["mode"] == BATCH_SKIPGRAM and values.get("subwords"):
        raise UserError("subwords cannot be True in the mode batch_skipgram: use skipgram or cbow.")


def of_this_mode(values: Mapping[str, Any]) -> None:
    """What belongs to the other family of modes would have no effect."""
    foreign = WORDS_ONLY if values["mode"] == SUPERVISED else TEXTS_ONLY
    if given := [name for name in foreign if name in values]:
        raise UserError(f"{', '.join(given)} cannot be set in the mode {values['mode']}.")


CHECKS = (no_subwords_in_batches, of_this_mode)
