"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/segmentation-hyperparameters.html and -tuning.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Switch, Tunable
from algorithms.vision.settings import Steps

UNIT = Interval(0, 1)
PART = Interval(0, 1, open_low=True)
POSITIVE = Interval(1)
SIDE = Interval(16, open_low=True)
FCN, PSP, DEEPLAB = "fcn", "psp", "deeplab"
OPTIMIZERS = ("adam", "adagrad", "nag", "rmsprop", "sgd")
POLY, COSINE, STEP = "poly", "cosine", "step"

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("num_classes", required=True, range=Interval(2, 254)),
    Integer("num_training_samples", required=True, range=POSITIVE, remark="counted; the log says if it differs"),
    Categorical("algorithm", range=(FCN, PSP, DEEPLAB), default=FCN),
    Categorical("backbone", range=("resnet-50", "resnet-101"), default="resnet-50", remark="not given: a small one"),
    Switch("use_pretrained_model", default=True, remark="needs a channel model, or false"),
    Integer("base_size", range=SIDE, default=520, remark="of the longer side, half to twice as much, before cropping"),
    Integer("crop_size", range=SIDE, default=240, remark="a multiple of 8"),
    Switch("early_stopping", default=False),
    Integer("early_stopping_min_epochs", range=POSITIVE, default=5),
    Integer("early_stopping_patience", range=POSITIVE, default=4),
    Float("early_stopping_tolerance", range=UNIT, default=0.0),
    Integer("epochs", range=POSITIVE, default=10),
    Float("gamma1", range=UNIT, default=0.9, remark="of rmsprop: the decay of squares"),
    Float("gamma2", range=UNIT, default=0.9, remark="of rmsprop: its momentum"),
    Float("learning_rate", range=PART, default=0.001, tunable=Tunable(1e-4, 1e-1)),
    Categorical("lr_scheduler", range=(POLY, COSINE, STEP), default=POLY),
    Float("lr_scheduler_factor", range=UNIT, default=0.1, remark="of step"),
    Steps("lr_scheduler_step", remark="of step, which needs it"),
    Integer("mini_batch_size", range=POSITIVE, default=16, tunable=Tunable(1, 128)),
    Float("momentum", range=PART, default=0.9, tunable=Tunable(0.9, 0.999), remark="of sgd and nag"),
    Categorical("optimizer", range=OPTIMIZERS, default="sgd", tunable=Tunable(words=("sgd", "adam"))),
    Switch("syncbn", default=False, remark="of several GPUs: no effect"),
    Integer("validation_mini_batch_size", range=POSITIVE, default=16),
    Float("weight_decay", range=Interval(0, 1, open_low=True, open_high=True), default=0.0001,
          tunable=Tunable(1e-5, 1e-3)),
)  # fmt: skip


def by_eight(values: Mapping[str, Any]) -> None:
    """The network gives a place for each square of 8 pixels."""
    if values.get("crop_size", 240) % 8:
        raise UserError(f"crop_size is {values['crop_size']}, and is to be a multiple of 8.")


def steps_with_step(values: Mapping[str, Any]) -> None:
    """ "lr_scheduler_step: Required if lr_scheduler is set to step"."""
    if values.get("lr_scheduler") == STEP and not values.get("lr_scheduler_step"):
        raise UserError("lr_scheduler is step, which needs lr_scheduler_step: epochs such as 10,20.")


CHECKS = (by_eight, steps_with_step)
