"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/fact-machines-hyperparameters.html, fm-tuning.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Switch, Tunable

METHODS = ("uniform", "normal", "constant")
NOT_NEGATIVE = Interval(0)
WIDE = Tunable(1e-8, 512, "Logarithmic")


def _group(name: str, sigma: float, lr: float, wd: float) -> tuple[Hyperparameter, ...]:
    """What each of the three groups of parameters has."""
    return (
        Categorical(f"{name}_init_method", range=METHODS, default="normal"),
        Float(f"{name}_init_scale", range=NOT_NEGATIVE, tunable=WIDE, remark="with uniform: of [-scale, scale]; 0.07"),
        Float(f"{name}_init_sigma", range=NOT_NEGATIVE, default=sigma, tunable=WIDE, remark="with normal"),
        Float(f"{name}_init_value", tunable=WIDE, remark="with constant, which needs it"),
        Float(f"{name}_lr", range=NOT_NEGATIVE, default=lr, tunable=WIDE),
        Float(f"{name}_wd", range=NOT_NEGATIVE, default=wd, tunable=WIDE),
    )


DECLARED: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=Interval(1), remark="the number of features"),
    Integer("num_factors", required=True, range=Interval(1), remark="factors of each feature"),
    Categorical("predictor_type", required=True, range=("binary_classifier", "regressor")),
    *_group("bias", 0.01, 0.1, 0.01),
    *_group("linear", 0.01, 0.001, 0.001),
    *_group("factors", 0.001, 0.0001, 0.00001),
    Float("clip_gradient", remark="gradients are cut to plus and minus this; a negative one does nothing"),
    Integer("epochs", range=Interval(1), default=1),
    Float("eps", range=NOT_NEGATIVE, remark="keeps Adam from dividing by zero; 1e-8"),
    Integer("mini_batch_size", range=Interval(1), default=1000, tunable=Tunable(100, 10000)),
    Float("rescale_grad", remark="gradients are multiplied by this; 1 by the size of the batch"),
    Switch("use_bias", default=True),
    Switch("use_linear", default=True),
    Integer("batch_metrics_publish_interval", range=Interval(1), default=500),
)


def constants_are_said(values: Mapping[str, Any]) -> None:
    """Whoever asks for a constant beginning says which: factors that all begin at zero stay there."""
    for group in ("bias", "linear", "factors"):
        if values.get(f"{group}_init_method") == "constant" and f"{group}_init_value" not in values:
            raise UserError(f"{group}_init_method is constant, but {group}_init_value is not set: say which constant.")


CHECKS = (constants_are_said,)
