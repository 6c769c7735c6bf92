"""Linear Learner's hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html, and -tuning.html.

Where the guide leaves open whether an end of a range belongs to it, the SDK's class LinearLearner says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Switch, Tunable
from algorithms.first_party.wording import SCHEMA
from algorithms.linear_learner.losses import BY_PREDICTOR
from algorithms.linear_learner.thresholds import CRITERIA, FORMER

POSITIVE = Interval(0, open_low=True)
SHARE = Interval(0, 1, open_low=True, open_high=True)
DECAY = Interval(0, 1, open_high=True)
MULTICLASS = "multiclass_classifier"

DECLARED: tuple[Hyperparameter, ...] = (
    Categorical("predictor_type", required=True, range=tuple(BY_PREDICTOR)),
    Integer("num_classes", range=Interval(1, 1_000_000), default=1,
            remark="required of a multiclass_classifier: 3 or more"),
    Integer("feature_dim", range=Interval(1), default="auto", auto=True, remark="the number of features"),
    Integer("accuracy_top_k", range=Interval(1, 1_000_000), default=3),
    Switch("balance_multiclass_weights", default=False, remark="each class counts the same"),
    Float("beta_1", range=DECAY, default="auto", auto=True, remark="of adam; auto: 0.9"),
    Float("beta_2", range=DECAY, default="auto", auto=True, remark="of adam; auto: 0.999"),
    Float("bias_lr_mult", range=POSITIVE, default="auto", auto=True),
    Float("bias_wd_mult", range=Interval(0), default="auto", auto=True, remark="auto: 0"),
    Categorical("binary_classifier_model_selection_criteria", range=(*CRITERIA, "loss_function", *FORMER),
                default="accuracy", remark="`f1` and `cross_entropy_loss` are former names"),
    Integer("early_stopping_patience", range=Interval(1), default=3, remark="epochs"),
    Float("early_stopping_tolerance", range=POSITIVE, default=0.001, remark="a share of the best value"),
    Integer("epochs", range=Interval(1), default=15, remark="at most"),
    Float("f_beta", range=POSITIVE, default=1.0),
    Float("huber_delta", range=POSITIVE, default=1.0, remark="in units of the label that is trained with"),
    Float("init_bias", default=0.0),
    Categorical("init_method", range=("uniform", "normal"), default="uniform"),
    Float("init_scale", range=POSITIVE, default=0.07),
    Float("init_sigma", range=POSITIVE, default=0.01),
    Float("l1", range=Interval(0), default="auto", auto=True, tunable=Tunable(1e-7, 1, "Logarithmic")),
    Float("learning_rate", range=POSITIVE, default="auto", auto=True, tunable=Tunable(1e-5, 1, "Logarithmic")),
    Categorical("loss", range=tuple(name for names in BY_PREDICTOR.values() for name in names), auto=True,
                default="auto", remark="auto: squared_loss, logistic, softmax_loss"),
    Float("loss_insensitivity", range=POSITIVE, default=0.01, remark="in units of the label that is trained with"),
    Float("lr_scheduler_factor", range=SHARE, default="auto", auto=True),
    Float("lr_scheduler_minimum_lr", range=POSITIVE, default="auto", auto=True),
    Integer("lr_scheduler_step", range=Interval(1), default="auto", auto=True),
    Float("margin", range=Interval(0), default=1.0, remark="of hinge_loss"),
    Integer("mini_batch_size", range=Interval(1), default=1000, tunable=Tunable(100, 5000)),
    Float("momentum", range=DECAY, default="auto", auto=True, remark="of sgd; auto: 0"),
    Switch("normalize_data", default=True, auto=True),
    Switch("normalize_label", default="auto", auto=True, remark="auto: of a regressor"),
    Integer("num_calibration_samples", range=Interval(1), default=10_000_000, auto=True),
    Integer("num_models", range=Interval(1), default="auto", auto=True,
            remark="auto: 32, fewer of very many weights; 1 in a tuning job"),
    Integer("num_point_for_scaler", range=Interval(1), default=10_000),
    Categorical("optimizer", range=("adam", "sgd", "rmsprop"), auto=True, default="auto", remark="auto: adam"),
    Float("positive_example_weight_mult", range=POSITIVE, default=1.0, auto=True, words=("balanced",),
          tunable=Tunable(1e-5, 1e5, "Logarithmic"), remark="auto: several are tried"),
    Float("quantile", range=SHARE, default=0.5, remark="of the labels that are to lie below the prediction"),
    Float("target_precision", range=SHARE, default=0.8),
    Float("target_recall", range=SHARE, default=0.8),
    Switch("unbias_data", default="auto", auto=True, remark="auto: with a bias"),
    Switch("unbias_label", default="auto", auto=True, remark="auto: of a regressor with a bias"),
    Switch("use_bias", default=True, tunable=Tunable(words=("true", "false"))),
    Switch("use_lr_scheduler", default=True),
    Float("wd", range=Interval(0), default="auto", auto=True, tunable=Tunable(1e-7, 1, "Logarithmic")),
)  # fmt: skip


def classes_are_said(values: Mapping[str, Any]) -> None:
    """A multiclass classifier has three classes or more."""
    if values["predictor_type"] != MULTICLASS:
        return
    if "num_classes" not in values:
        raise UserError(SCHEMA.missing(["num_classes"]))
    if values["num_classes"] < 3:
        raise UserError(
            f"num_classes is {values['num_classes']}, and a multiclass_classifier has 3 classes or more: set "
            "predictor_type to 'binary_classifier' for two."
        )


def loss_fits(values: Mapping[str, Any]) -> None:
    """Each kind of predictor has its losses."""
    loss, known = values.get("loss", "auto"), BY_PREDICTOR[values["predictor_type"]]
    if loss not in ("auto", *known):
        raise UserError(
            f"The value {loss!r} of the 'loss' hyperparameter is not one of a {values['predictor_type']}, which "
            f"accepts one of the following: {', '.join(repr(name) for name in ('auto', *known))}"
        )


CHECKS = (classes_are_said, loss_fits)


def resolved(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with a plain yes or no in place of each switch's `auto`. Without a bias nothing can be unbiased."""
    bias, regressor = values["use_bias"], values["predictor_type"] == "regressor"
    meant = {
        "normalize_data": True,
        "normalize_label": regressor,
        "unbias_data": bias,
        "unbias_label": bias and regressor,
    }
    found = {name: meant[name] if values[name] == "auto" else values[name] for name in meant}
    found |= {name: found[name] and bias for name in ("unbias_data", "unbias_label")}
    return dict(values) | found
