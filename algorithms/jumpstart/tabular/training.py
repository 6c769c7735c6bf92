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
    of the classes, None for a regression; `categorical` are the names of columns."""

    hyperparameters: Mapping[str, Any]
    training: tuple[pd.DataFrame, np.ndarray]
    validation: tuple[pd.DataFrame, np.ndarray]
    labels: list[Any] | None
    categorical: list[str]


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
    work = _work(told["task"], given, data)
    rows, width = work.training[0].shape
    print(f"Training with {rows} rows of {width} features, validating with {len(work.validation[1])} rows.", flush=True)
    fit(work)
    model.save(
        {
            "model_id": told["model_id"],
            "task": told["task"],
            "features": width,
            "categorical": data.categorical,
            "labels": work.labels,
        }
    )


def _work(task: str, given: Mapping[str, Any], data: channels.Data) -> Work:
    training, validation = table.load(data)
    labels = targets.labels(training) if task == targets.CLASSIFICATION else None
    pairs = []
    for each in (training, validation):
        pairs.append((each.features, targets.numbers(each) if labels is None else targets.classes(each, labels)))
    names = [f"feature_{column - 1}" for column in data.categorical]
    return Work(given, pairs[0], pairs[1], labels, names)
