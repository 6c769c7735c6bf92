"""Serve LightGBM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import model
from common.failing import need


def model_fn(model_dir: str) -> Any:
    """The booster, and what is known of it."""
    facts = model.saved(model_dir)
    need(model.told()["requires"])
    import lightgbm

    return facts, lightgbm.Booster(model_file=str(Path(model_dir) / "model.txt"))


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str) -> Any:
    """Probabilities (one a row where there are two labels), or predictions."""
    from tabular import answers
    from tabular.categories import numbered

    facts, booster = loaded
    names = [f"feature_{column - 1}" for column in facts["categorical"]]

    def predict(rows: Any) -> Any:
        return booster.predict(numbered(rows, names).to_numpy(), num_threads=answers.threads(rows))

    return answers.answer(facts, predict, (body, content_type, accept))
