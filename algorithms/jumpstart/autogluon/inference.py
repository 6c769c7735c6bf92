"""Serve AutoGluon-Tabular."""

from __future__ import annotations

from typing import Any

from common import model
from common.failing import need


def model_fn(model_dir: str) -> Any:
    """The predictor, and what is known of it."""
    facts = model.saved(model_dir)
    need(model.told()["requires"])
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor.load(model_dir)
    predictor.persist()  # The best model stays in memory; else each request would read it anew.
    return facts, predictor


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str, context: Any) -> Any:
    """Probabilities of each label, or predictions."""
    import numpy as np
    from columns import framed
    from tabular import answers

    facts, predictor = loaded
    names = [f"feature_{column - 1}" for column in facts["categorical"]]

    def predict(rows: Any) -> Any:
        found = framed(rows, names)
        if facts["labels"] is None:
            return predictor.predict(found).to_numpy(np.float64)
        # AutoGluon may have left out a label that is too rare to be learned.
        return predictor.predict_proba(found).reindex(columns=facts["labels"], fill_value=0.0).to_numpy(np.float64)

    return answers.answer(facts, predict, (body, content_type, accept), context)
