"""Serve XGBoost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import model
from common.failing import need


def model_fn(model_dir: str) -> Any:
    """The booster with what prepares its features, and what is known of it."""
    facts = model.saved(model_dir)
    need(model.told()["requires"])
    import joblib
    import xgboost

    booster = xgboost.Booster({"nthread": 1}, model_file=str(Path(model_dir) / "model.json"))
    return facts, joblib.load(Path(model_dir) / "encoder.joblib"), booster


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str) -> Any:
    """Probabilities (two a row where there are two labels), or predictions."""
    import numpy as np
    import xgboost
    from tabular import answers

    facts, encoder, booster = loaded

    def predict(rows: Any) -> Any:
        features = encoder.transform(rows) if encoder else rows.to_numpy()
        found = booster.predict(xgboost.DMatrix(features, nthread=answers.threads(rows)))
        return np.column_stack([1 - found, found]) if facts["labels"] and found.ndim == 1 else found

    return answers.answer(facts, predict, (body, content_type, accept))
