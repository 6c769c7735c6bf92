"""An invocation of any tabular model: CSV in, JSON out; the family's own part is the function that predicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from tabular import table
from tabular.failing import Refused

CSV, JSON, PLAIN, VERBOSE = "text/csv", "application/json", "text/plain", ";verbose"


def answer(
    facts: Mapping[str, Any],
    predict: Callable[[pd.DataFrame], np.ndarray],
    request: tuple[Any, str, str],
    context: Any = None,
) -> Any:
    """The answer to (body, content type, accept). `context` is that of the images which have one: they are told by it
    what the status is, the others by an object of their toolkit's."""
    body, content_type, accept = request
    wanted = "".join(accept.split()).lower()
    if content_type.partition(";")[0].strip().lower() != CSV:
        return _said(context, 415, f"The content type {content_type} is not supported: send {CSV}.")
    if wanted.removesuffix(VERBOSE) not in (JSON, "*/*", ""):
        return _said(context, 406, f"The accept type {accept} is not supported: ask for {JSON} or {JSON}{VERBOSE}.")
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        rows = table.rows_of(text, facts["features"], [*facts["categorical"], *facts.get("text", ())])
        told = _told(facts, predict(rows), wanted.endswith(VERBOSE))
    except UnicodeDecodeError:
        return _said(context, 400, "The request is no text in UTF-8.")
    except Refused as mistake:
        return _said(context, 400, str(mistake))
    return json.dumps(told), JSON


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


def _said(context: Any, status: int, text: str) -> Any:
    if context is not None:
        context.set_response_status(status)
        return text, PLAIN
    from sagemaker_containers.beta.framework import worker

    return worker.Response(text, status=status, mimetype=PLAIN)
