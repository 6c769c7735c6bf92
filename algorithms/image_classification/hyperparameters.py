"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html and IC-tuning.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Switch, Tunable
from algorithms.vision import augmenting
from algorithms.vision.resnet import SMALL, UNITS
from algorithms.vision.settings import ImageShape, Steps, sizes

UNIT = Interval(0, 1)
POSITIVE = Interval(1)
LAYERS = tuple(str(count) for count in (*UNITS, *SMALL))
OPTIMIZERS = ("sgd", "adam", "rmsprop", "nag")

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("num_classes", required=True, range=POSITIVE),
    Integer("num_training_samples", required=True, range=POSITIVE, remark="counted; the log says if it differs"),
    Categorical("augmentation_type", range=augmenting.KINDS),
    Float("beta_1", range=UNIT, default=0.9, tunable=Tunable(1e-6, 0.999), remark="of adam"),
    Float("beta_2", range=UNIT, default=0.999, tunable=Tunable(1e-6, 0.999), remark="of adam"),
    Integer("checkpoint_frequency", range=POSITIVE, remark="epochs; without it the best epoch alone is kept"),
    Switch("early_stopping", default=False),
    Integer("early_stopping_min_epochs", range=POSITIVE, default=10),
    Integer("early_stopping_patience", range=POSITIVE, default=5),
    Float("early_stopping_tolerance", range=UNIT, default=0.0),
    Integer("epochs", range=POSITIVE, default=30),
    Float("eps", range=UNIT, default=1e-8, tunable=Tunable(1e-8, 1.0), remark="of adam and rmsprop"),
    Float("gamma", range=UNIT, default=0.9, tunable=Tunable(1e-8, 0.999), remark="of rmsprop"),
    ImageShape("image_shape", default="3,224,224"),
    Categorical("kv_store", range=("dist_sync", "dist_async"), remark="the first host trains, with all data"),
    Float("learning_rate", range=UNIT, default=0.1, tunable=Tunable(1e-6, 0.5)),
    Float("lr_scheduler_factor", range=UNIT, default=0.1),
    Steps("lr_scheduler_step", remark="the rate is multiplied by lr_scheduler_factor behind each"),
    Integer("mini_batch_size", range=POSITIVE, default=32, tunable=Tunable(8, 512)),
    Float("momentum", range=UNIT, default=0.9, tunable=Tunable(0.0, 0.999), remark="of sgd and nag"),
    Switch("multi_label", default=False),
    Categorical("num_layers", range=LAYERS, default="152", remark="not given: 18 or, of small pictures, 20"),
    Categorical("optimizer", range=OPTIMIZERS, default="sgd", tunable=Tunable(words=OPTIMIZERS)),
    Categorical("precision_dtype", range=("float32", "float16"), default="float32", remark="computed in float32"),
    Integer("resize", range=POSITIVE, remark="pixels of the shorter side, of the image content type"),
    Integer("top_k", range=Interval(2)),
    Switch("use_pretrained_model", default=False, remark="needs a channel model"),
    Switch("use_weighted_loss", default=False, remark="of multi_label"),
    Float("weight_decay", range=UNIT, default=0.0001, tunable=Tunable(0.0, 0.999)),
)  # fmt: skip


def within_classes(values: Mapping[str, Any]) -> None:
    """The first so many of fewer classes are always right."""
    if values.get("top_k", 0) > values["num_classes"]:
        raise UserError(f"top_k is {values['top_k']}, more than the {values['num_classes']} of num_classes.")


def within_epochs(values: Mapping[str, Any]) -> None:
    """A checkpoint behind the last epoch is none."""
    epochs = values.get("epochs", 30)
    if values.get("checkpoint_frequency", 0) > epochs:
        raise UserError(f"checkpoint_frequency is {values['checkpoint_frequency']}, more than the {epochs} epochs.")


def resize_covers(values: Mapping[str, Any]) -> None:
    """Pictures are cropped to image_shape after resize."""
    _, height, width = sizes(values.get("image_shape", "3,224,224"))
    if values.get("resize") and values["resize"] < max(height, width):
        raise UserError(f"resize is {values['resize']}, less than the {height}x{width} of image_shape.")


CHECKS = (within_classes, within_epochs, resize_covers)
