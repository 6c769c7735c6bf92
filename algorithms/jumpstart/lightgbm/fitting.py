"""Train LightGBM."""

from __future__ import annotations

from tabular import model
from tabular.categories import numbered
from tabular.failing import Refused
from tabular.training import Work

OURS = ("num_boost_round", "early_stopping_rounds", "use_dask", "metric")


def fit(work: Work) -> None:
    """Train with early stopping on the validation data, and save the booster as joblib's file and as LightGBM's."""
    import joblib
    import lightgbm

    given = work.hyperparameters
    if given["use_dask"] == "True":
        print("use_dask: on one instance it is LightGBM without Dask.", flush=True)
    training, validation = (
        lightgbm.Dataset(numbered(features, work.categorical), label, categorical_feature=work.categorical)
        for features, label in (work.training, work.validation)
    )
    validation.reference = training
    callbacks = [lightgbm.log_evaluation(1)]
    if given["early_stopping_rounds"] > 0 and given["boosting"] != "dart":
        callbacks.append(lightgbm.early_stopping(given["early_stopping_rounds"]))
    try:
        booster = lightgbm.train(
            settings(work), training, given["num_boost_round"], valid_sets=[validation], callbacks=callbacks
        )
    except lightgbm.basic.LightGBMError as error:
        raise Refused(f"LightGBM refuses the hyperparameters or the data: {error}") from error
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
