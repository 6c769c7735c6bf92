"""Serve TabTransformer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import model
from common.failing import need


def model_fn(model_dir: str) -> Any:
    """The network, and what is known of it."""
    facts = model.saved(model_dir)
    need(model.told()["requires"])
    import fitted

    return facts, fitted.load(Path(model_dir), facts["labels"])


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str, context: Any) -> Any:
    """Probabilities of each label, or predictions."""
    from tabular import answers

    facts, found = loaded
    return answers.answer(facts, found.predict, (body, content_type, accept), context)
