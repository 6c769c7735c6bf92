"""Predictions as bytes, in the form that each version of the container gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from algorithms.common import recordio
from algorithms.common.contract import log

CSV, JSON, JSONLINES = "text/csv", "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
SUPPORTED = (JSON, JSONLINES, RECORDIO, CSV)
ONE_LINE_PER_RECORD_SINCE = (1, 2, 2)
"""The older images know no other answer than text/csv with all records on one line."""

REGRESSION = ("reg:squarederror", "reg:logistic", "reg:gamma", "reg:absoluteerror", "reg:tweedie")
LABELS = ("predicted_label", "labels", "raw_score", "raw_scores")
PROBABILITIES = ("probability", "probabilities")
SELECTABLE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(REGRESSION, ("predicted_score",)),
    **dict.fromkeys(("binary:logitraw", "binary:hinge", "multi:softmax"), LABELS),
    **dict.fromkeys(("binary:logistic", "multi:softprob"), LABELS + PROBABILITIES),
}
"""What SAGEMAKER_INFERENCE_OUTPUT may select, by objective."""

Selected = Sequence[Mapping[str, Any]]


def plain(predictions: Any, accept: str) -> bytes:
    """One answer for a request of an endpoint, images 1.2-2 and newer."""
    scores = predictions.tolist()
    if accept == JSON:
        return json.dumps({"predictions": [{"score": score} for score in scores]}).encode()
    if accept == JSONLINES:
        return "".join(json.dumps({"score": score}) + "\n" for score in scores).encode()
    if accept == RECORDIO:
        return recordio.write({"score": predictions})
    return "".join(",".join(map(str, _several(score))) + "\n" for score in scores).encode()


def batch(predictions: Any) -> bytes:
    """One answer for a request of a transform job: `str` of each record's prediction, whatever was accepted."""
    return "".join(f"{score}\n" for score in predictions.tolist()).encode()


def comma_joined(predictions: Any) -> bytes:
    """All records on one line: images up to 1.2-1."""
    return ",".join(map(str, predictions.tolist())).encode()


def select(predictions: Any, keys: Sequence[str], objective: str, num_class: int) -> list[dict[str, Any]]:
    """The chosen content of each record; NaN for a key that the objective has no answer to."""
    if objective not in SELECTABLE:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    valid = SELECTABLE[objective]
    if not set(keys) <= set(valid):
        log(
            f"Selected key(s) {sorted(set(keys) - set(valid))} incompatible for objective '{objective}'. "
            f"Please use list of compatible selectable inference predictions: {list(valid)}",
            "WARNING",
        )
    return [
        {key: _content(key, score, objective, num_class) if key in valid else float("nan") for key in keys}
        for score in predictions.tolist()
    ]


def selected(content: Selected, keys: Sequence[str], accept: str, in_batch: bool) -> bytes:
    """The chosen content as bytes. Lists in CSV are quoted: `1,"[0.1, 0.9]"`."""
    if accept == JSON:
        return json.dumps({"predictions": content}).encode()
    if accept == JSONLINES:
        return "".join(json.dumps(record) + "\n" for record in content).encode()
    if accept == RECORDIO:
        return recordio.write({key: [record[key] for record in content] for key in keys})
    lines = [",".join(_cell(record[key]) for key in keys) for record in content]
    return ("\n".join(lines) + ("\n" if in_batch else "")).encode()


def _content(key: str, score: Any, objective: str, num_class: int) -> Any:
    if key == "labels":
        return [0, 1] if objective.startswith("binary:") else list(range(num_class))
    if key == "predicted_label":
        return _label(score, objective)
    if isinstance(score, list):
        return max(score) if key in ("probability", "raw_score") else score
    return [1.0 - score, score] if key in ("probabilities", "raw_scores") else score


def _label(score: Any, objective: str) -> Any:
    if isinstance(score, list):
        return score.index(max(score))
    if objective in ("binary:logistic", "binary:logitraw"):
        return int(score > (0.5 if objective == "binary:logistic" else 0))
    return score


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _cell(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
