"""How good a model is on labelled records, under the names that the image's log has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.linear_learner.model import Linear
from algorithms.linear_learner.thresholds import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOSS, SCORE = "loss", "score"


@dataclass(frozen=True)
class Score:
    """`kind` is how the log marks it."""

    name: str
    value: float
    kind: str = SCORE


def of(model: Linear, features: Any, labels: NDArray[Any], values: Mapping[str, Any]) -> list[Score]:
    """All but the objective, in the log's order."""
    raw, labels = model.raw(features), labels.astype(np.float64)
    if model.predictor_type == "regressor":
        return _regression(raw[:, 0], labels)
    if model.predictor_type == "binary_classifier":
        return _binary(raw[:, 0], labels, model.threshold, values["f_beta"])
    return _multiclass(raw, labels.astype(np.intp), values)


def _regression(found: NDArray[Any], labels: NDArray[Any]) -> list[Score]:
    error = found - labels
    square, size = float((error**2).mean()), float(np.abs(error).mean())
    scores = [Score("mse", square, LOSS), Score("absolute_loss", size, LOSS), Score("rmse", square**0.5, LOSS)]
    if variance := float(labels.var()):
        scores.append(Score("r2", 1 - square / variance))
    return [*scores, Score("mae", size, LOSS)]


def _binary(raw: NDArray[Any], labels: NDArray[Any], threshold: float, beta: float) -> list[Score]:
    positive, hit = raw > threshold, labels > 0
    true, found, there = float((positive & hit).sum()), float(positive.sum()), float(hit.sum())
    scores = [
        Score("binary_classification_accuracy", float((positive == hit).mean())),
        Score(f"binary_f_{beta:.3f}", _f(true / max(found, 1), true / max(there, 1), beta)),
        Score("precision", true / max(found, 1)),
        Score("recall", true / max(there, 1)),
    ]
    area = Counts.of(raw, labels).area()
    return scores if np.isnan(area) else [*scores, Score("roc_auc_score", area)]


def _multiclass(raw: NDArray[Any], labels: NDArray[np.intp], values: Mapping[str, Any]) -> list[Score]:
    own = raw[np.arange(len(labels)), labels]
    rank = (raw > own[:, None]).sum(axis=1)
    predicted = raw.argmax(axis=1)
    classes = raw.shape[1]
    true = np.bincount(labels[predicted == labels], minlength=classes)
    there, found = np.bincount(labels, minlength=classes), np.bincount(predicted, minlength=classes)
    seen = (there + found) > 0
    precision, recall = (true / np.maximum(found, 1))[seen], (true / np.maximum(there, 1))[seen]
    f = [_f(p, r, values["f_beta"]) for p, r in zip(precision, recall, strict=True)]
    k = values["accuracy_top_k"]
    top = raw.max(axis=1)
    log_loss = np.log(np.exp(raw - top[:, None]).sum(axis=1)) + top - own
    return [
        Score("multiclass_accuracy", float((predicted == labels).mean())),
        Score(f"multiclass_top_k_accuracy_{k}", float((rank < k).mean())),
        Score("dcg", float((1 / np.log2(rank + 2)).mean())),
        Score("macro_recall", float(recall.mean())),
        Score("macro_precision", float(precision.mean())),
        Score(f"macro_f_{values['f_beta']:.3f}", float(np.mean(f))),
        Score("multiclass_balanced_accuracy", float((true[there > 0] / there[there > 0]).mean())),
        Score("multiclass_log_loss", float(log_loss.mean())),
    ]


def _f(precision: float, recall: float, beta: float) -> float:
    if not precision or not recall:
        return 0.0
    return float((1 + beta**2) * precision * recall / (beta**2 * precision + recall))
