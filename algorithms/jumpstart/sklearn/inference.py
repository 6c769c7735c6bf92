"""Serve a linear model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import model
from common.failing import need


def model_fn(model_dir: str) -> Any:
    """The pipeline, and what is known of it."""
    facts = model.saved(model_dir)
    need(model.told()["requires"])
    import joblib

    return facts, joblib.load(Path(model_dir) / "model.joblib")


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str) -> Any:
    """Probabilities of each label, or predictions."""
    from tabular import answers

    facts, pipeline = loaded
    asked = pipeline.predict if facts["labels"] is None else pipeline.predict_proba
    return answers.answer(facts, asked, (body, content_type, accept))
