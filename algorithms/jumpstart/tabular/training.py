"""The course of a training job of any tabular model; the family's own part is the function that fits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tabular import channels, model, parameters, table, targets
from tabular.failing import Refused


@dataclass(frozen=True)
class Work:
    """What a family fits: features and targets (numbers, or classes) to train and to validate with. `labels` are those
    of the classes, None for a regression; `categorical` are the names of columns. `validation` is None only for a
    family that takes the table raw, when there is none."""

    hyperparameters: Mapping[str, Any]
    training: tuple[pd.DataFrame, np.ndarray]
    validation: tuple[pd.DataFrame, np.ndarray] | None
    labels: list[Any] | None
    categorical: list[str]
    text: tuple[int, ...] = ()


def train(fit: Callable[[Work], None]) -> None:
    """Read, check, fit, save."""
    told = model.told()
    hosts = json.loads(os.environ.get("SM_HOSTS", "[]"))
    if len(hosts) > 1:
        raise Refused(
            f"{told['model_id']} trains on one instance here; the job asks for {len(hosts)}. Set the count to 1."
        )
    given = parameters.read(told["hyperparameters"])
    data = channels.find()
    work = _work(told["task"], given, data, told.get("raw", False))
    rows, width = work.training[0].shape
    validated = f", validating with {len(work.validation[1])} rows" if work.validation else ""
    print(f"Training with {rows} rows of {width} features{validated}.", flush=True)
    fit(work)
    model.save(
        {
            "model_id": told["model_id"],
            "task": told["task"],
            "features": width,
            "categorical": data.categorical,
            "text": work.text,
            "labels": work.labels,
        }
    )


def _work(task: str, given: Mapping[str, Any], data: channels.Data, raw: bool = False) -> Work:
    training, validation = table.load(data, raw)
    labels = targets.labels(training) if task == targets.CLASSIFICATION else None
    names = [f"feature_{column - 1}" for column in data.categorical]
    pair = _pair(validation, labels) if validation else None
    return Work(given, _pair(training, labels), pair, labels, names, training.text)


def _pair(given: table.Table, labels: list[Any] | None) -> tuple[pd.DataFrame, np.ndarray]:
    return given.features, targets.numbers(given) if labels is None else targets.classes(given, labels)
