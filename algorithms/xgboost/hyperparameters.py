"""The hyperparameters of the XGBoost container, and which of them contradict each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import (
    Categorical,
    CommaList,
    Float,
    Hyperparameter,
    Integer,
    Interval,
    NestedList,
    Tunable,
    Tuple,
    validate,
)
from algorithms.xgboost import metrics

OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob",
    "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma",
    "reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox",
)  # fmt: skip
GROWERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "grow_quantile_histmaker")
TREE_UPDATERS = (*GROWERS, "sync", "refresh", "prune")
LINEAR_UPDATERS = ("shotgun", "coord_descent")
NOT_NEGATIVE = Interval(0)
UNIT = Interval(0, 1)
PART = Interval(0, 1, open_low=True)
SWITCH = ("true", "false")
BIT = Interval(0, 1)


def _with_threshold(word: str) -> bool:
    name, at, threshold = word.partition("@")
    if not at or name not in metrics.WITH_THRESHOLD:
        return False
    try:
        return math.isfinite(float(threshold.rstrip("-")))
    except ValueError:
        return False


DECLARED: tuple[Hyperparameter, ...] = (
    Integer("num_round", required=True, range=Interval(1), tunable=Tunable(1, 4000)),
    Integer("csv_weights", range=BIT, default=0, remark="1: the second column of CSV is the weight"),
    Integer("early_stopping_rounds", range=Interval(1), remark="with a validation channel"),
    Categorical("booster", range=("gbtree", "gblinear", "dart"), default="gbtree"),
    Integer("verbosity", range=Interval(0, 3), default=1),
    Integer("nthread", range=Interval(1), remark="without one: all cores"),
    Float("eta", alias="learning_rate", range=UNIT, default=0.3, tunable=Tunable(0.1, 0.5)),
    Float("gamma", alias="min_split_loss", range=NOT_NEGATIVE, default=0.0, tunable=Tunable(0, 5)),
    Integer("max_depth", range=NOT_NEGATIVE, default=6, tunable=Tunable(0, 10)),
    Float("min_child_weight", range=NOT_NEGATIVE, default=1.0, tunable=Tunable(0, 120)),
    Float("max_delta_step", range=NOT_NEGATIVE, default=0.0, tunable=Tunable(0, 10)),
    Float("subsample", range=PART, default=1.0, tunable=Tunable(0.5, 1)),
    Float("colsample_bytree", range=PART, default=1.0, tunable=Tunable(0.5, 1)),
    Float("colsample_bylevel", range=PART, default=1.0, tunable=Tunable(0.1, 1)),
    Float("colsample_bynode", range=PART, default=1.0, tunable=Tunable(0.1, 1)),
    Float("lambda", alias="reg_lambda", range=NOT_NEGATIVE, default=1.0, tunable=Tunable(0, 1000)),
    Float("alpha", alias="reg_alpha", range=NOT_NEGATIVE, default=0.0, tunable=Tunable(0, 1000)),
    Categorical(
        "tree_method",
        range=("auto", "exact", "approx", "hist", "gpu_hist"),
        default="auto",
        remark="no gpu_hist: there is no GPU",
    ),
    Float("sketch_eps", range=Interval(0, 1, open_low=True, open_high=True), remark="without effect"),
    Float("scale_pos_weight", range=Interval(0, open_low=True), default=1.0),
    CommaList("updater", range=(*TREE_UPDATERS, *LINEAR_UPDATERS)),
    Categorical("dsplit", range=("row", "col"), remark="without effect"),
    Integer("refresh_leaf", range=BIT, default=1),
    Categorical("process_type", range=("default", "update"), default="default"),
    Categorical("grow_policy", range=("depthwise", "lossguide"), default="depthwise"),
    Integer("max_leaves", range=NOT_NEGATIVE, default=0),
    Integer("max_bin", range=NOT_NEGATIVE, default=256),
    Categorical(
        "predictor", range=("auto", "cpu_predictor", "gpu_predictor"), remark="without effect, and no gpu_predictor"
    ),
    Tuple("monotone_constraints", range=(-1, 0, 1)),
    NestedList("interaction_constraints", range=Interval(1)),
    Categorical("sample_type", range=("uniform", "weighted"), default="uniform"),
    Categorical("normalize_type", range=("tree", "forest"), default="tree"),
    Float("rate_drop", range=UNIT, default=0.0),
    Integer("one_drop", range=BIT, default=0),
    Float("skip_drop", range=UNIT, default=0.0),
    Float("lambda_bias", range=UNIT),
    Float("tweedie_variance_power", range=Interval(1, 2, open_low=True, open_high=True), default=1.5),
    Categorical("objective", range=OBJECTIVES, default="reg:squarederror"),
    Integer("num_class", range=Interval(2), remark="of multi:softmax and multi:softprob, which need it"),
    Float("base_score", range=NOT_NEGATIVE, remark="without one: the library estimates it"),
    Integer("_kfold", range=Interval(2), remark="cross validation: a model for each part"),
    Integer("_num_cv_round", range=Interval(1), remark="with _kfold"),
    Categorical(
        "_tuning_objective_metric",
        range=tuple(f"validation:{name}" for name in metrics.NAMES),
        remark="set by tuning jobs",
    ),
    CommaList("eval_metric", range=metrics.NAMES, extra=_with_threshold, remark="without one: that of the objective"),
    Integer("seed", range=Interval(-(2**31), 2**31 - 1), default=0),
    Integer("num_parallel_tree", range=Interval(1), default=1),
    Categorical("save_model_on_termination", range=SWITCH, default="false", remark="when the job is stopped"),
    Categorical("aft_loss_distribution", range=("normal", "logistic", "extreme"), default="normal"),
    Float("aft_loss_distribution_scale", range=NOT_NEGATIVE, default=1.0),
    Categorical("deterministic_histogram", range=SWITCH, remark="without effect"),
    Categorical("single_precision_histogram", range=SWITCH, remark="without effect"),
    Categorical("sampling_method", range=("uniform", "gradient_based"), default="uniform"),
    Float("prob_buffer_row", range=Interval(1, open_low=True), remark="without effect"),
    Categorical("use_dask_gpu_training", range=SWITCH, remark="false: there is no GPU"),
)
"""Defaults are those that the library has for what it is not told; the container tells it what was given."""
NEEDS_GPU = (("tree_method", "gpu_hist"), ("predictor", "gpu_predictor"), ("use_dask_gpu_training", "true"))
SILENT = Integer("silent", range=BIT)
"""Only the images up to 1.0-1 know it."""
LAST_WITH_SILENT = (1, 0, 1)

WITHOUT_EFFECT = (
    "sketch_eps", "dsplit", "predictor", "deterministic_histogram", "single_precision_histogram", "prob_buffer_row",
    "use_dask_gpu_training", "silent",
)  # fmt: skip
"""Accepted, because the container accepts them, but gone from the library."""


def read(given: Mapping[str, str], version: tuple[int, ...]) -> dict[str, Any]:
    """The values of a job's hyperparameters, for an image of that version; UserError in the container's words."""
    if "sagemaker_program" in given or "sagemaker_submit_directory" in given:
        raise UserError(
            "Hyperparameter sagemaker_program: script mode (your own training script) comes with the next release. "
            "Remove it to train with the hyperparameters of the built-in algorithm."
        )
    declared = (*DECLARED, SILENT) if version <= LAST_WITH_SILENT else DECLARED
    return validate(declared, given, CHECKS)


def _updater(values: Mapping[str, Any]) -> None:
    chosen = values.get("updater")
    if chosen is None:
        return
    if values.get("booster") == "gblinear":
        if len(chosen) != 1 or chosen[0] not in LINEAR_UPDATERS:
            raise UserError(f"Linear updater should be one of these options: {_quoted(LINEAR_UPDATERS)}.")
    elif values.get("process_type") == "update":
        if not set(chosen) <= {"refresh", "prune"}:
            raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif not set(chosen) <= set(TREE_UPDATERS):
        raise UserError(f"Tree updater should be selected from these options: {_quoted(TREE_UPDATERS)}.")
    elif len(set(chosen) & set(GROWERS)) > 1:
        raise UserError(f"Only one tree grow plugin can be selected. Choose one from the following: {_quoted(GROWERS)}")


def _classes(values: Mapping[str, Any]) -> None:
    several = str(values.get("objective", "")) in ("multi:softmax", "multi:softprob")
    if several and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if not several and "num_class" in values:
        raise UserError(
            "Do not need to setup parameter 'num_class' for learning task other than multi-classification. "
            f"It is {values['num_class']}."
        )


def _metrics(values: Mapping[str, Any]) -> None:
    objective = str(values.get("objective", "reg:squarederror"))
    wanted = list(values.get("eval_metric", ()))
    wanted += str(values.get("_tuning_objective_metric", "")).split(":")[1:]
    if "auc" in wanted and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in wanted and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _constraints(values: Mapping[str, Any]) -> None:
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' "
            "or 'approx'."
        )


def _no_gpu(values: Mapping[str, Any]) -> None:
    asked = [f"{name} {value!r}" for name, value in NEEDS_GPU if values.get(name) == value]
    if asked:
        raise UserError(f"{asked[0]} needs a GPU, and there is none here: use tree_method 'hist' on the CPU.")


CHECKS = (_updater, _classes, _metrics, _constraints, _no_gpu)


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
