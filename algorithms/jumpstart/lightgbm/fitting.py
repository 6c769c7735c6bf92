"""Train LightGBM."""

from __future__ import annotations

from typing import Any

import joblib
import lightgbm
import team
from common import model
from common.failing import Refused
from tabular.categories import numbered
from tabular.training import Work

OURS = ("num_boost_round", "early_stopping_rounds", "use_dask", "metric")


def fit(work: Work) -> None:
    """Train with early stopping on the validation data, and save the booster as joblib's file and as LightGBM's."""
    given, here = work.hyperparameters, work.crew
    if given["use_dask"] == "True" and here.leads:
        print("use_dask: LightGBM's own lines between instances are used, without Dask.", flush=True)
    training, validation = (
        lightgbm.Dataset(numbered(features, work.categorical), label, categorical_feature=work.categorical)
        for features, label in (team.part(work), work.validation)
    )
    validation.reference = training
    callbacks: list[Any] = [lightgbm.log_evaluation(1)] if here.leads else []
    if given["early_stopping_rounds"] > 0 and given["boosting"] != "dart":
        callbacks.append(team.Agreed(here, lightgbm.early_stopping(given["early_stopping_rounds"])))
    told = settings(work) | team.network(here, given)
    validated = [validation] if here.leads else []
    try:
        booster = lightgbm.train(told, training, given["num_boost_round"], valid_sets=validated, callbacks=callbacks)
    except lightgbm.basic.LightGBMError as error:
        if str(error).startswith(team.LINES):  # Mostly another host is gone: what became of it is the reason.
            raise
        raise Refused(f"LightGBM refuses the hyperparameters or the data: {error}") from error
    if here.leads:
        save(booster)


def save(booster: lightgbm.Booster) -> None:
    """As both files."""
    joblib.dump(booster, model.folder() / "model.pkl")
    booster.save_model(model.folder() / "model.txt")


def settings(work: Work) -> dict[str, object]:
    """The parameters of LightGBM."""
    found = {name: value for name, value in work.hyperparameters.items() if name not in OURS}
    if "is_unbalance" in found:
        found["is_unbalance"] = found["is_unbalance"] == "True"
    metric = work.hyperparameters["metric"]
    if work.labels is None:
        return {**found, "objective": "regression", "metric": "rmse" if metric == "auto" else metric}
    if len(work.labels) == 2:
        return {**found, "objective": "binary", "metric": "binary_logloss" if metric == "auto" else metric}
    several = {"objective": "multiclass", "num_class": len(work.labels)}
    left = {name: value for name, value in found.items() if name != "scale_pos_weight"}
    return {**left, **several, "metric": "multi_logloss" if metric == "auto" else metric}
