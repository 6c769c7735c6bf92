"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/object-detection-api-config.html and -tuning.html."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Switch, Tunable
from algorithms.vision.settings import Steps

UNIT = Interval(0, 1)
PART = Interval(0, 1, open_low=True)
OPEN = Interval(0, 1, open_low=True, open_high=True)
POSITIVE = Interval(1)
OPTIMIZERS = ("sgd", "adam", "rmsprop", "adadelta")


@dataclass(frozen=True)
class Pattern(Hyperparameter):
    """A regular expression."""

    def valid(self) -> list[str]:
        return ["^(conv1_|conv2_).*", "fc7"]

    def invalid(self) -> list[str]:
        return ["(", "*"]

    def says(self) -> str:
        return "that is a regular expression"

    def _parse(self, text: str) -> Any:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(text) from error
        return text


DECLARED: tuple[Hyperparameter, ...] = (
    Integer("num_classes", required=True, range=POSITIVE),
    Integer("num_training_samples", required=True, range=POSITIVE, remark="counted; the log says if it differs"),
    Categorical("base_network", range=("vgg-16", "resnet-50"), default="vgg-16", remark="not given: a small one"),
    Switch("early_stopping", default=False),
    Integer("early_stopping_min_epochs", range=POSITIVE, default=10),
    Integer("early_stopping_patience", range=POSITIVE, default=5),
    Float("early_stopping_tolerance", range=UNIT, default=0.0),
    Integer("image_shape", range=Interval(300, 10000), default=300, remark="to which pictures are stretched"),
    Integer("epochs", range=POSITIVE, default=30),
    Pattern("freeze_layer_pattern", remark="names of arrays that are not trained, from their beginnings"),
    Categorical("kv_store", range=("dist_sync", "dist_async"), remark="the first host trains, with all data"),
    Integer("label_width", range=POSITIVE, default=350, remark="5 numbers for each object of a picture, and 2"),
    Float("learning_rate", range=PART, default=0.001, tunable=Tunable(1e-6, 0.5)),
    Float("lr_scheduler_factor", range=OPEN, default=0.1),
    Steps("lr_scheduler_step", remark="the rate is multiplied by lr_scheduler_factor behind each"),
    Integer("mini_batch_size", range=POSITIVE, default=32, tunable=Tunable(8, 64)),
    Float("momentum", range=PART, default=0.9, tunable=Tunable(0.0, 0.999), remark="of sgd"),
    Float("nms_threshold", range=PART, default=0.45, remark="of two boxes that overlap more one is left"),
    Categorical("optimizer", range=OPTIMIZERS, default="sgd", tunable=Tunable(words=OPTIMIZERS)),
    Float("overlap_threshold", range=PART, default=0.5, remark="from which a box is right"),
    Switch("use_pretrained_model", default=True, remark="needs a channel model, or 0"),
    Float("weight_decay", range=OPEN, default=0.0005, tunable=Tunable(0.0, 0.999)),
)  # fmt: skip
CHECKS = ()
