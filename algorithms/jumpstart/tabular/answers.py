"""An invocation of any tabular model: CSV in, JSON out; the family's own part is the function that predicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from common.failing import Refused
from tabular import table

FEW = 1000
CSV, JSON, VERBOSE, PLAIN = "text/csv", "application/json", ";verbose", "text/plain"


def answer(
    facts: Mapping[str, Any],
    predict: Callable[[pd.DataFrame], np.ndarray],
    request: tuple[Any, str, str],
    context: Any = None,
) -> Any:
    """The answer to (body, content type, accept). `context` is what the newer toolkit gives to scripts."""
    body, content_type, accept = request
    wanted = "".join(accept.split()).lower()
    if content_type.partition(";")[0].strip().lower() != CSV:
        return _said(415, f"The content type {content_type} is not supported: send {CSV}.", context)
    if wanted.removesuffix(VERBOSE) not in (JSON, "*/*", ""):
        return _said(406, f"The accept type {accept} is not supported: ask for {JSON} or {JSON}{VERBOSE}.", context)
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        rows = table.rows_of(text, facts["features"], [*facts["categorical"], *facts.get("text", ())])
        told = _told(facts, predict(rows), wanted.endswith(VERBOSE))
    except UnicodeDecodeError:
        return _said(400, "The request is no text in UTF-8.", context)
    except Refused as mistake:
        return _said(400, str(mistake), context)
    return json.dumps(told), JSON


def threads(rows: pd.DataFrame) -> int:
    """What a library is to predict them with, 0 for all that there are: of a few rows, threads that wait for each other
    take many times what they save."""
    return 1 if len(rows) < FEW else 0


def _told(facts: Mapping[str, Any], found: np.ndarray, verbose: bool) -> dict[str, Any]:
    labels = facts["labels"]
    if labels is None:
        return {"prediction": found.tolist()}
    told: dict[str, Any] = {"probabilities": found.tolist()}
    if verbose:
        # One column is the probability of the second label.
        places = np.argmax(found, axis=1) if found.ndim == 2 else (found > 0.5).astype(int)
        told |= {"labels": labels, "predicted_label": [labels[place] for place in places]}
    return told


def _said(status: int, text: str, context: Any) -> Any:
    """A refusal, in the way of the toolkit that serves."""
    if context is not None:
        context.set_response_status(status, text)
        return text, PLAIN
    from sagemaker_containers.beta.framework import worker

    return worker.Response(text, status=status, mimetype=PLAIN)
