"""Train AutoGluon-Tabular."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from columns import TARGET, framed
from common import model
from common.failing import Refused
from tabular.training import Work

METRICS = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "root_mean_squared_error"}
"""What `auto` means (the guide's table): AutoGluon itself would take the accuracy for two labels, too."""
SWITCHES = ("auto_stack", "refit_full", "set_best_to_refit_full", "save_space")
COUNTS = {"num_bag_folds": 0, "num_bag_sets": 1, "num_stack_levels": 0}
"""Numbers with the value that leaves them to the presets."""
BAGGED = ("best_quality", "high_quality", "good_quality")
"""Presets that bag by themselves."""


def fit(work: Work) -> None:
    """Train, and save AutoGluon's folder as the artifact itself."""
    from autogluon.tabular import TabularPredictor

    if "OMP_NUM_THREADS" in os.environ:  # The cores of the instance type; AutoGluon looks for those of the machine.
        os.environ.setdefault("AG_CPU_COUNT", os.environ["OMP_NUM_THREADS"])
    given, problem = work.hyperparameters, problem_type(work)
    metric = METRICS[problem] if given["eval_metric"] == "auto" else given["eval_metric"]
    told = arguments(given, work.validation is not None)
    try:
        predictor = TabularPredictor(
            label=TARGET, problem_type=problem, eval_metric=metric, path=str(model.folder()),
            verbosity=given["verbosity"],
        )  # fmt: skip
        predictor.fit(rows(work, work.training), tuning_data=rows(work, work.validation), **told)
    except (ValueError, AssertionError, RuntimeError) as error:
        raise Refused(f"AutoGluon refuses the hyperparameters or the data: {error}") from error


def problem_type(work: Work) -> str:
    """AutoGluon's word for what is predicted, by the number of labels."""
    if work.labels is None:
        return "regression"
    return "binary" if len(work.labels) == 2 else "multiclass"


def arguments(given: Mapping[str, Any], validated: bool) -> dict[str, Any]:
    """The arguments of AutoGluon's `fit`. A default of the guide's is not said aloud, for it would override what the
    presets say; whatever differs from it does."""
    if given["num_bag_folds"] == 1:
        raise Refused("The hyperparameter num_bag_folds is 1; it has to be 0 (no bagging) or from 2 to 10.")
    told: dict[str, Any] = {"presets": given["presets"]}
    told |= {name: True for name in SWITCHES if given[name] == "True"}
    told |= {name: given[name] for name, off in COUNTS.items() if given[name] != off}
    if validated and ("num_bag_folds" in told or "auto_stack" in told or given["presets"] in BAGGED):
        told["use_bag_holdout"] = True  # Without it, AutoGluon refuses validation data where it bags.
    return told


def rows(work: Work, table: tuple[pd.DataFrame, np.ndarray] | None) -> pd.DataFrame | None:
    """Features and target as one table; labels as they are in the data, for the model answers with them."""
    if table is None:
        return None
    features, target = table
    found = framed(features, work.categorical)
    found[TARGET] = target if work.labels is None else [work.labels[place] for place in target]
    return found
