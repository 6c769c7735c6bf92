"""Train a linear model with scikit-learn."""

from __future__ import annotations

from typing import Any

import joblib
from common import model
from common.failing import Refused
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tabular import scores
from tabular.training import Work

SEED = 0


def fit(work: Work) -> None:
    """Fit a pipeline, and save it as one file."""
    pipeline = made(work)
    try:
        pipeline.fit(*work.training)
    except ValueError as error:
        raise Refused(f"scikit-learn refuses the hyperparameters or the data: {error}") from error
    features, target = work.validation
    scores.say(target, pipeline.predict(features), work.labels is not None)
    joblib.dump(pipeline, model.folder() / "model.joblib")


def made(work: Work) -> Pipeline:
    """What prepares features, and the estimator."""
    numbers = [name for name in work.training[0].columns if name not in work.categorical]
    scaled: Any = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepared = ColumnTransformer([("numbers", scaled, numbers), ("categories", one_hot, work.categorical)])
    given = {**work.hyperparameters, "random_state": SEED}
    return make_pipeline(prepared, SGDRegressor(**given) if work.labels is None else SGDClassifier("log_loss", **given))
