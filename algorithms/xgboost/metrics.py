"""The metrics of the XGBoost container: their names, which way is better, and those that xgboost itself lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MAXIMIZE = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision",
    "precision_macro", "precision_micro", "r2", "recall", "recall_macro", "recall_micro",
)  # fmt: skip
MINIMIZE = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss",
    "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip
NAMES = MAXIMIZE + MINIMIZE
WITH_THRESHOLD = ("error", "ndcg", "map")
"""Metrics that may be written `name@number`."""

CUSTOM: dict[str, tuple[str, dict[str, Any]]] = {
    "accuracy": ("accuracy_score", {}),
    "balanced_accuracy": ("balanced_accuracy_score", {}),
    "f1": ("f1_score", {"average": "macro"}),
    "f1_binary": ("f1_score", {"average": "binary"}),
    "f1_macro": ("f1_score", {"average": "macro"}),
    "mse": ("mean_squared_error", {}),
    "precision": ("precision_score", {}),
    "precision_macro": ("precision_score", {"average": "macro"}),
    "precision_micro": ("precision_score", {"average": "micro"}),
    "r2": ("r2_score", {}),
    "recall": ("recall_score", {}),
    "recall_macro": ("recall_score", {"average": "macro"}),
    "recall_micro": ("recall_score", {"average": "micro"}),
}
"""Metrics computed by scikit-learn: its function and how the container calls it."""
OF_VALUES = ("mse", "r2")
"""Custom metrics of predicted values; the others are of predicted classes."""
ABOVE_HALF = ("binary:logistic", "binary:hinge", "reg:logistic")
"""Objectives whose predictions are class 1 above 0.5; all others with one column above 0, as for margins."""

Gather = Callable[[Any], list[Any]]
Evaluate = Callable[[Any, Any], list[tuple[str, float]]]


def is_maximized(metric: str) -> bool:
    """Whether more is better; `ndcg@5` is judged as `ndcg`."""
    return metric.partition("@")[0] in MAXIMIZE


def definitions() -> list[dict[str, str]]:
    """The MetricDefinitions that the service attaches, as they stand in the manifest."""
    return [
        {"Name": f"{split}:{name}", "Regex": rf".*\[[0-9]+\].*#011{split}-{name}:(\S+)"}
        for split in ("train", "validation")
        for name in NAMES
    ]


def split(wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that xgboost computes, and those that we do."""
    return [m for m in wanted if m not in CUSTOM], [m for m in wanted if m in CUSTOM]


def evaluator(names: Sequence[str], objective: str, gather: Gather = lambda mine: [mine]) -> Evaluate | None:
    """The function that xgboost calls each round, with predictions in the objective's own terms; None for no names.

    `gather` brings what several hosts have found to all of them: the metric is that of all rows, not a mean of hosts.
    """
    if not names:
        return None
    import numpy
    from sklearn import metrics

    def evaluate(predictions: Any, data: Any) -> list[tuple[str, float]]:
        found = gather((data.get_label(), predictions))
        labels, predicted_values = (numpy.concatenate(parts) for parts in zip(*found, strict=True))
        classes = _classes(predicted_values, objective)
        scores = []
        for name in names:
            function, options = CUSTOM[name]
            predicted = predicted_values if name in OF_VALUES else classes
            scores.append((name, float(getattr(metrics, function)(labels, predicted, **options))))
        return scores

    return evaluate


def _classes(predictions: Any, objective: str) -> Any:
    if predictions.ndim > 1:
        return predictions.argmax(axis=-1)
    if objective.startswith("multi:"):
        return predictions.astype(int)
    return (predictions > (0.5 if objective in ABOVE_HALF else 0.0)).astype(int)
