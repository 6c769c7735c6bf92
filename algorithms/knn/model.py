"""A trained k-NN model: index, labels, and the JSON that says how to use them, which users may edit (k, above all)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.faults import UserError
from algorithms.first_party import serve
from algorithms.first_party.answers import Fields
from algorithms.knn import index
from algorithms.knn.reduction import Reduction

if TYPE_CHECKING:
    from numpy.typing import NDArray

INDEX, LABELS, SETTINGS = serve.MODEL, f"{serve.MODEL}.labels", f"{serve.MODEL}.json"


@dataclass(frozen=True)
class Neighbours:
    """See the module. `normalize` is whether vectors have length 1: for cosines.

    `feature_dim` is told where the index is wider than the records, whose vectors then end in zeros.
    """

    index: index.Index
    labels: NDArray[np.float32]
    k: int
    predictor_type: str
    reduction: Reduction | None = None
    normalize: bool = False
    feature_dim: int | None = None

    @property
    def features(self) -> int:
        return self.reduction.input_dim if self.reduction else self.feature_dim or self.index.width

    def predict(self, rows: Any) -> Fields:
        """The label that most of the nearest have, the smallest of several; of a regressor, the mean of them."""
        dense = rows.toarray() if hasattr(rows, "toarray") else rows
        distances, positions = self.index.search(
            vectors(dense, self.reduction, self.normalize, self.index.width), self.k
        )
        labels = self.labels[positions]
        decided = vote(labels) if self.predictor_type == "classifier" else labels.mean(axis=1, dtype=np.float64)
        return {"predicted_label": decided.astype(np.float32), "distances": distances, "labels": labels}

    def files(self) -> dict[str, bytes]:
        """The members of the archive."""
        told = {
            "k": self.k,
            "predictor_type": self.predictor_type,
            "dimension_reduction": self.reduction.told() if self.reduction else None,
            "normalize": self.normalize,
            "version": "1.0",
        } | ({} if self.feature_dim is None else {"feature_dim": self.feature_dim})
        return {
            INDEX: self.index.content(),
            LABELS: self.labels.astype("<f4").tobytes(),
            SETTINGS: json.dumps(told).encode(),
        }


def vectors(rows: Any, reduction: Reduction | None, normalize: bool, width: int) -> NDArray[np.float32]:
    """What is indexed and searched for: as wide as the index."""
    found = np.ascontiguousarray(rows, np.float32)
    found = reduction.apply(found) if reduction else found
    if normalize:
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        found = found / np.where(lengths > 0, lengths, 1)
    return np.pad(np.asarray(found, np.float32), ((0, 0), (0, width - found.shape[1])))


def vote(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The most frequent value of each row, the smallest of several."""
    known, codes = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(labels), len(known)), np.int64)
    np.add.at(counts, (np.arange(len(labels))[:, None], codes.reshape(labels.shape)), 1)
    return known[counts.argmax(axis=1)]


def load(folder: Path) -> Neighbours:
    """The model of a folder; UserError when it is none."""
    content, labels = serve.content(folder), np.frombuffer(serve.content(folder, LABELS), "<f4")
    try:
        told = json.loads(serve.content(folder, SETTINGS))
        reduction = Reduction(**told["dimension_reduction"]) if told.get("dimension_reduction") else None
        k, kind, normalize = int(told["k"]), str(told["predictor_type"]), bool(told.get("normalize"))
        narrower = int(told["feature_dim"]) if "feature_dim" in told else None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{SETTINGS}' does not say k, predictor_type and dimension_reduction: {error}") from error
    if not 0 < k <= len(labels):
        raise UserError(f"'{SETTINGS}' says that k is {k}; the model holds {len(labels)} records.")
    return Neighbours(index.opened(content), labels, k, kind, reduction, normalize, narrower)
