"""Train XGBoost."""

from __future__ import annotations

from typing import Any

import joblib
import numpy as np
import pandas as pd
import xgboost
from common import model
from common.failing import Refused
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder
from tabular import scores
from tabular.training import Work

ROUNDS = ("num_boost_round", "early_stopping_rounds")


def fit(work: Work) -> None:
    """Train with early stopping on the validation data, and save the booster and what prepares its features."""
    given, encoder = work.hyperparameters, None
    if work.categorical:
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        encoder = ColumnTransformer([("categories", one_hot, work.categorical)], remainder="passthrough")
        encoder.fit(work.training[0])
    training, validation = (matrix(encoder, features, label) for features, label in (work.training, work.validation))
    rounds = given["early_stopping_rounds"]
    try:
        booster = xgboost.train(
            settings(work), training, given["num_boost_round"], evals=[(validation, "validation")],
            early_stopping_rounds=rounds if rounds > 0 else None,
        )  # fmt: skip
    except xgboost.core.XGBoostError as error:
        raise Refused(f"XGBoost refuses the hyperparameters or the data: {error}") from error
    if rounds > 0:
        booster = booster[: booster.best_iteration + 1]
    scores.say(work.validation[1], _classes(booster.predict(validation), work.labels), work.labels is not None)
    booster.save_model(model.folder() / "model.json")
    joblib.dump(encoder, model.folder() / "encoder.joblib")


def settings(work: Work) -> dict[str, Any]:
    """The parameters of XGBoost."""
    found = {name: value for name, value in work.hyperparameters.items() if name not in ROUNDS}
    if work.labels is None:
        return {**found, "objective": "reg:squarederror"}
    if len(work.labels) == 2:
        return {**found, "objective": "binary:logistic"}
    return {**found, "objective": "multi:softprob", "num_class": len(work.labels)}


def matrix(encoder: Any, features: pd.DataFrame, label: np.ndarray) -> xgboost.DMatrix:
    """Rows as XGBoost takes them."""
    return xgboost.DMatrix(encoder.transform(features) if encoder else features.to_numpy(), label)


def _classes(found: np.ndarray, labels: list[Any] | None) -> np.ndarray:
    if labels is None:
        return found
    return np.argmax(found, axis=1) if found.ndim == 2 else (found > 0.5).astype(int)
