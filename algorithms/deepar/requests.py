"""What is asked: time series, and which form their forecasts are to have ("DeepAR Inference Formats")."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from algorithms.common.faults import UserError
from algorithms.deepar import series
from algorithms.deepar.series import Series
from algorithms.deepar.windows import Shape

CONFIGURATION, FORWARDED = "DEEPAR_INFERENCE_CONFIG", "DEEPAR_FORWARDED_FIELDS"
MEAN, QUANTILES, SAMPLES = "mean", "quantiles", "samples"
MOST = 100_000
"""Paths of a series: more would need more memory than a model server has."""


@dataclass(frozen=True)
class Wanted:
    """The form of forecasts. `quantiles` are texts, as the answer has them; `forwarded` are members of an instance that
    its answer repeats."""

    samples: int = 100
    types: Sequence[str] = (MEAN, QUANTILES)
    quantiles: Sequence[str] = tuple(f"0.{tenth}" for tenth in range(1, 10))
    forwarded: Sequence[str] = ()

    @classmethod
    def from_environment(cls) -> Wanted:
        """As the variables of the container say; UserError when they say nothing that is understood."""
        try:
            found = cls().told(json.loads(os.environ.get(CONFIGURATION) or "{}"))
        except ValueError as error:
            raise UserError(f"The variable {CONFIGURATION} is no configuration of DeepAR: {error}") from error
        try:
            fields = json.loads(os.environ.get(FORWARDED) or "[]")
        except ValueError as error:
            raise UserError(f"The variable {FORWARDED} is no list of fields in JSON: {error}") from error
        if not isinstance(fields, list) or not all(isinstance(one, str) for one in fields):
            raise UserError(f'The variable {FORWARDED} is no list of fields in JSON, such as ["id"].')
        return replace(found, forwarded=tuple(fields))

    def told(self, configuration: Any) -> Wanted:
        """The same, with what a configuration says; ValueError for what it cannot say."""
        if not isinstance(configuration, Mapping):
            raise ValueError("'configuration' is no object")
        known = {"num_samples": "samples", "output_types": "types", "quantiles": "quantiles"}
        if unknown := [name for name in configuration if name not in known]:
            raise ValueError(f"'configuration' has {unknown[0]!r}; it may have {', '.join(known)}")
        found = replace(self, **{known[name]: value for name, value in configuration.items()})
        if type(found.samples) is not int or not 0 < found.samples <= MOST:
            raise ValueError(f"'num_samples' is {found.samples!r}, and is to be a whole number from 1 to {MOST}")
        if not isinstance(found.types, list | tuple) or not found.types:
            raise ValueError("'output_types' is to be a list of mean, quantiles, samples")
        if wrong := [one for one in found.types if one not in (MEAN, QUANTILES, SAMPLES)]:
            raise ValueError(f"'output_types' has {wrong[0]!r}; there are mean, quantiles, samples")
        return replace(found, quantiles=_levels(found.quantiles))


def _levels(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        raise ValueError('\'quantiles\' is to be a list such as ["0.1", "0.9"]')
    for one in given:
        try:
            inside = isinstance(one, str | float) and 0 < float(one) < 1
        except ValueError:
            inside = False
        if not inside:
            raise ValueError(f"'quantiles' has {one!r}, which is no number between 0 and 1")
    return tuple(str(one) for one in given)


def parsed(instance: Any, shape: Shape) -> Series:
    """An instance as a series that the model can continue; ValueError when it cannot."""
    return series.fitted(series.parse(instance, shape.frequency), shape.cardinality, shape.dynamic, shape.prediction)
