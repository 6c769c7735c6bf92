"""Serve CatBoost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import model
from common.failing import need


def model_fn(model_dir: str) -> Any:
    """The model, and what is known of it."""
    facts = model.saved(model_dir)
    need(model.told()["requires"])
    import catboost

    made = catboost.CatBoostRegressor() if facts["labels"] is None else catboost.CatBoostClassifier()
    return facts, made.load_model(str(Path(model_dir) / "model"))


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str) -> Any:
    """Probabilities of each label, or predictions."""
    from tabular import answers

    facts, fitted = loaded
    asked = fitted.predict if facts["labels"] is None else fitted.predict_proba
    return answers.answer(facts, asked, (body, content_type, accept))
