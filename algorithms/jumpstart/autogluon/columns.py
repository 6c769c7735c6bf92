"""Columns as AutoGluon takes them: numbers and text as they are, categories marked as such, gaps as gaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

TARGET = "target"


def framed(features: pd.DataFrame, categorical: Sequence[str]) -> pd.DataFrame:
    """The features of training or of a request; of the other columns AutoGluon finds out what they are."""
    features = features.copy()
    for name in features.columns:
        if not pd.api.types.is_numeric_dtype(features[name]):
            features[name] = features[name].replace("", np.nan)
        if name in categorical:
            features[name] = features[name].astype("category")
    return features
