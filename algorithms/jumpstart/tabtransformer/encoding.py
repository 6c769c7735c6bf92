"""A table as the network takes it: categories as codes, of which 0 is a gap, and numbers standardized, gaps at 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from common.failing import Refused


@dataclass(frozen=True)
class Encoding:
    """What the training data had. `categories`: by column, in order, the first of which has code 1; `gaps`: whether
    some of that column are missing; `numbers`: by column, (mean, deviation)."""

    categories: Mapping[str, list[str]]
    gaps: Mapping[str, bool]
    numbers: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, features: pd.DataFrame, categorical: list[str]) -> Encoding:
        """That of training data, as `tabular.table` reads them."""
        known = {name: sorted(set(features[name]) - {""}) for name in categorical}
        gaps = {name: bool((features[name] == "").any()) for name in categorical}
        numbers = {name: _spread(features[name]) for name in features.columns if name not in categorical}
        return cls(known, gaps, numbers)

    @classmethod
    def told(cls, saved: Mapping[str, Any]) -> Encoding:
        """One that `as_json` has told of."""
        return cls(saved["categories"], saved["gaps"], {name: tuple(pair) for name, pair in saved["numbers"].items()})

    def as_json(self) -> dict[str, Any]:
        """For the artifact."""
        return {"categories": self.categories, "gaps": self.gaps, "numbers": self.numbers}

    def codes(self, features: pd.DataFrame) -> np.ndarray:
        """(rows, categorical columns), int64; a category that training never saw is a gap."""
        found = [pd.Categorical(features[name], known).codes + 1 for name, known in self.categories.items()]
        return np.column_stack(found).astype(np.int64) if found else np.zeros((len(features), 0), np.int64)

    def scaled(self, features: pd.DataFrame) -> np.ndarray:
        """(rows, other columns), float32."""
        found = features[list(self.numbers)].to_numpy(np.float64)
        _check_finite(features, list(self.numbers))
        mean, deviation = np.array(list(self.numbers.values())).reshape(-1, 2).T
        return np.nan_to_num((found - mean) / deviation).astype(np.float32)


def _spread(column: pd.Series) -> tuple[float, float]:
    _check_finite(column.to_frame(), [column.name])
    if column.isna().all():
        return 0.0, 1.0
    return float(column.mean()), float(column.std(ddof=0)) or 1.0


def _check_finite(features: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        if np.isinf(features[name]).any():
            raise Refused(f"The column of feature {int(name.rpartition('_')[2])} (from 0) holds an infinite number.")
