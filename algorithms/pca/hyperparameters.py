"""PCA's hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/PCA-reference.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Hyperparameter, Integer, Interval, Switch

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=Interval(1), remark="the number of features"),
    Integer("mini_batch_size", required=True, range=Interval(1)),
    Integer("num_components", required=True, range=Interval(1), remark="the directions to keep"),
    Categorical("algorithm_mode", range=("regular", "randomized"), default="regular"),
    Integer("extra_components", range=Interval(-1), default=-1,
            remark="further directions of the sketch; -1: the larger of 10 and num_components"),
    Switch("subtract_mean", default=True),
    Switch("force_dense", default=True),
)  # fmt: skip


def not_more_than_there_are(values: Mapping[str, Any]) -> None:
    """There are as many directions as features."""
    if values["num_components"] > values["feature_dim"]:
        raise UserError(
            f"num_components is {values['num_components']}, more than the {values['feature_dim']} features that "
            "feature_dim says: there are no more directions than features."
        )


CHECKS = (not_more_than_there_are,)
