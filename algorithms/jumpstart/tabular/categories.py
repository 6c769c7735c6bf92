"""Categories for libraries that take them as whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from common.failing import Refused


def numbered(features: pd.DataFrame, categorical: Sequence[str]) -> pd.DataFrame:
    """The features with categories as whole numbers from 0; a gap stays one."""
    features = features.copy()
    for name in categorical:
        values = pd.to_numeric(features[name].replace("", np.nan), errors="coerce")
        bad = (values.isna() & (features[name] != "")) | (values < 0) | (values % 1 > 0)
        if bad.any():
            raise Refused(
                f"The categorical column {int(name.rpartition('_')[2]) + 1} holds {features[name][bad].iloc[0]!r}; "
                "this model takes categories as whole numbers from 0. Encode them."
            )
        features[name] = values.astype(np.float64)
    return features
