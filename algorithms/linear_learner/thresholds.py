"""From which score on a record is taken for a positive one, and how good that is by the criterion of the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMER = {"f1": "f_beta", "cross_entropy_loss": "loss_function"}
"""What criteria were called at first, which the SDK still offers."""


@dataclass(frozen=True)
class Counts:
    """What each threshold (t,), from the highest to the lowest, makes of the records."""

    thresholds: NDArray[np.float64]
    true: NDArray[np.float64]
    """Positives above it."""
    false: NDArray[np.float64]
    """Negatives above it."""

    @classmethod
    def of(cls, scores: NDArray[Any], labels: NDArray[Any]) -> Counts:
        """Every threshold that makes a difference: half way between neighbours, and beyond both ends."""
        order = np.argsort(-scores, kind="stable")
        ranked, hits = scores[order].astype(np.float64), labels[order] > 0
        cuts = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
        places = np.concatenate([[0], cuts, [len(ranked)]])
        between = (ranked[cuts - 1] + ranked[cuts]) / 2
        true = np.concatenate([[0], np.cumsum(hits)])[places].astype(np.float64)
        return cls(np.concatenate([[ranked[0] + 1], between, [ranked[-1] - 1]]), true, places - true)

    @property
    def positives(self) -> float:
        return float(self.true[-1])

    @property
    def negatives(self) -> float:
        return float(self.false[-1])

    def accuracy(self) -> NDArray[np.float64]:
        return (self.true + self.negatives - self.false) / (self.positives + self.negatives)

    def precision(self) -> NDArray[np.float64]:
        """0 where nothing is above the threshold."""
        return self.true / np.maximum(self.true + self.false, 1)

    def recall(self) -> NDArray[np.float64]:
        """0 without positives."""
        return self.true / max(self.positives, 1)

    def f_beta(self, beta: float) -> NDArray[np.float64]:
        weighted = (1 + beta**2) * self.true
        missed = beta**2 * (self.positives - self.true)
        return weighted / np.maximum(weighted + missed + self.false, 1e-12)

    def area(self) -> float:
        """Under the curve of true against false positives; NaN without both kinds of records."""
        if not self.positives or not self.negatives:
            return float("nan")
        whole = np.sum(np.diff(self.false) * (self.true[1:] + self.true[:-1])) / 2
        return float(whole / self.positives / self.negatives)


def criterion(values: Mapping[str, Any]) -> str:
    """The criterion by which a binary classifier is chosen, by its newest name."""
    given = values["binary_classifier_model_selection_criteria"]
    return FORMER.get(given, given)


def calibrate(counts: Counts, values: Mapping[str, Any]) -> tuple[float, float]:
    """The best threshold by the criterion, and how good it is. Of equally good ones that which is nearest to 0, where
    an uncalibrated model decides.
    """
    found = CRITERIA[criterion(values)](counts, values)
    best = np.flatnonzero(found >= found.max() - 1e-12)
    chosen = best[np.abs(counts.thresholds[best]).argmin()]
    return float(counts.thresholds[chosen]), float(max(found[chosen], 0.0))


def _accuracy(counts: Counts, values: Mapping[str, Any]) -> Any:
    return counts.accuracy()


def _f_beta(counts: Counts, values: Mapping[str, Any]) -> Any:
    former = values["binary_classifier_model_selection_criteria"] == "f1"
    return counts.f_beta(1.0 if former else values["f_beta"])


def _precision_at_target_recall(counts: Counts, values: Mapping[str, Any]) -> Any:
    return np.where(counts.recall() >= values["target_recall"], counts.precision(), -1.0)


def _recall_at_target_precision(counts: Counts, values: Mapping[str, Any]) -> Any:
    """Where no threshold reaches the target, the one that comes nearest to it, which counts nothing."""
    precision = counts.precision()
    return np.where(precision >= values["target_precision"], counts.recall(), precision - 2.0)


CRITERIA: Mapping[str, Callable[[Counts, Mapping[str, Any]], Any]] = {
    "accuracy": _accuracy,
    "f_beta": _f_beta,
    "precision_at_target_recall": _precision_at_target_recall,
    "recall_at_target_precision": _recall_at_target_precision,
}
