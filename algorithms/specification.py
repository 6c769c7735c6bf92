"""A built-in algorithm in the terms of the service: its TrainingSpecification, and the ranges in which it is tuned.

Made of its manifest and its Definition, whose module is imported then (numpy, no network library): the server asks
`catalog.specification`.
"""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from algorithms.catalog import Algorithm
from algorithms.common.channels import Channel
from algorithms.common.hyperparameters import CATEGORICAL, CONTINUOUS, FREE_TEXT, INTEGER, Hyperparameter, Interval
from algorithms.first_party.definition import MODEL_CHANNEL, Definition

MODEL_TYPE = "application/x-sagemaker-model"
CLASSES: Mapping[str, str] = {"CPU": r"ml\.(?:m|c|r|t)\d", "GPU": r"ml\.(?:p|g)\d"}
"""Instance types by what they compute with."""
MOST_METRICS = 40
"""MetricDefinitions that a TrainingSpecification may have."""
LARGEST = 2**31 - 1
"""What stands for no limit of an integer; of a float it is the largest one."""


def definition(algorithm: Algorithm) -> Definition:
    """What the algorithm takes; ValueError when it is none of the built-in ones."""
    if not algorithm.definition:
        raise ValueError(f"{algorithm.name} is no built-in algorithm: it declares neither hyperparameters nor channels")
    module, _, name = algorithm.definition.partition(":")
    found: Definition = getattr(importlib.import_module(module), name)
    return found


def training(algorithm: Algorithm, image_uri: str, instance_types: Iterable[str]) -> dict[str, Any]:
    """A TrainingSpecification that CreateAlgorithm takes; `instance_types` are those that the service has.

    Hyperparameters that begin with `_` are the service's own and left out. An interval without an end has the largest
    number there, one without its end the next number. Of metrics the objectives come first where not all have room.
    """
    told = definition(algorithm)
    declared = [one for one in told.hyperparameters if not one.name.startswith("_")]
    wanted = re.compile("|".join(CLASSES[name] for name in algorithm.instances))
    metrics = sorted(algorithm.metrics, key=lambda metric: metric["Name"] not in algorithm.objectives)
    return {
        "TrainingImage": image_uri,
        "SupportedHyperParameters": [_hyperparameter(one) for one in declared],
        "SupportedTrainingInstanceTypes": [name for name in instance_types if wanted.match(name)],
        "SupportsDistributedTraining": told.several,
        "MetricDefinitions": [dict(metric) for metric in metrics[:MOST_METRICS]],
        "TrainingChannels": [_channel(one, told.formats) for one in told.channels],
        "SupportedTuningJobObjectiveMetrics": [
            {"Type": direction, "MetricName": name} for name, direction in algorithm.objectives.items()
        ],
    }


def tuned(algorithm: Algorithm) -> dict[str, list[dict[str, Any]]]:
    """ParameterRanges as AWS's tuning page of the algorithm recommends them; empty lists where it is not tuned."""
    found: dict[str, list[dict[str, Any]]] = {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for one in definition(algorithm).hyperparameters:
        if one.tunable is None:
            continue
        if one.tunable.words:
            values = list(one.tunable.words)
            found["CategoricalParameterRanges"].append({"Name": one.name, "Values": values})
            continue
        ends = {"MinValue": _number(one.tunable.low, one), "MaxValue": _number(one.tunable.high, one)}
        kind = "IntegerParameterRanges" if one.service_type == INTEGER else "ContinuousParameterRanges"
        found[kind].append({"Name": one.name, **ends, "ScalingType": one.tunable.scaling})
    return found


def _hyperparameter(one: Hyperparameter) -> dict[str, Any]:
    kind = _type(one)
    found = {
        "Name": one.name,
        "Description": one.remark,
        "Type": kind,
        "Range": _range(one, kind),
        "IsTunable": one.tunable is not None,
        "IsRequired": one.required,
        "DefaultValue": _default(one, kind),
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def _type(one: Hyperparameter) -> str:
    """A number that may be a word, too, is free text to the service, unless it is tuned, which only numbers are."""
    if one.service_type in (INTEGER, CONTINUOUS) and (one.auto or one.words) and one.tunable is None:
        return FREE_TEXT
    return one.service_type


def _range(one: Any, kind: str) -> dict[str, Any] | None:
    if kind == CATEGORICAL:
        return {"CategoricalParameterRangeSpecification": {"Values": [*one.valid(), *(["auto"] if one.auto else [])]}}
    if kind == INTEGER:
        low, high = _whole(one.range)
        return {"IntegerParameterRangeSpecification": {"MinValue": str(low), "MaxValue": str(high)}}
    if kind == CONTINUOUS:
        low, high = _closed(one.range)
        return {"ContinuousParameterRangeSpecification": {"MinValue": repr(low), "MaxValue": repr(high)}}
    return None


def _whole(interval: Interval) -> tuple[int, int]:
    low, high = -LARGEST - 1, LARGEST
    if math.isfinite(interval.low):
        low = math.floor(interval.low) + 1 if interval.open_low else math.ceil(interval.low)
    if math.isfinite(interval.high):
        high = math.ceil(interval.high) - 1 if interval.open_high else math.floor(interval.high)
    return low, high


def _closed(interval: Interval) -> tuple[float, float]:
    largest = sys.float_info.max
    low, high = max(float(interval.low), -largest), min(float(interval.high), largest)
    low = math.nextafter(low, math.inf) if interval.open_low and math.isfinite(interval.low) else low
    high = math.nextafter(high, -math.inf) if interval.open_high and math.isfinite(interval.high) else high
    return low, high


def _default(one: Hyperparameter, kind: str) -> str | None:
    """As text; none for a word where the type is a number's."""
    if one.required or one.default is None:
        return None
    if isinstance(one.default, bool):
        return str(one.default).lower()
    if isinstance(one.default, list | tuple):
        return json.dumps(list(one.default))
    if isinstance(one.default, str):
        return None if kind in (INTEGER, CONTINUOUS) else one.default
    return str(one.default)


def _number(value: float, one: Hyperparameter) -> str:
    return str(int(value)) if one.service_type == INTEGER else repr(float(value))


def _channel(one: Channel, formats: Sequence[str]) -> dict[str, Any]:
    return {
        "Name": one.name,
        "IsRequired": one.required,
        "SupportedContentTypes": [MODEL_TYPE] if one.name == MODEL_CHANNEL else list(formats),
        "SupportedCompressionTypes": ["None", "Gzip"] if one.piped else ["None"],
        "SupportedInputModes": ["File", "FastFile", *(["Pipe"] if one.piped else [])],
    }
