"""The course of a training job of any tabular model; the family's own part is the function that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from common import model, parameters
from common.failing import Refused
from tabular import channels, crew, table, targets
from tabular.crew import Crew


@dataclass(frozen=True)
class Work:
    """What a family fits: features and targets (numbers, or classes) to train and to validate with. `labels` are those
    of the classes, None for a regression; `categorical` are the names of columns; `crew` are the hosts of the job, and
    `sharded` is whether each of them was given other data. `validation` is None, and `text` are columns of the files,
    only for a family that takes the table raw."""

    hyperparameters: Mapping[str, Any]
    training: tuple[pd.DataFrame, np.ndarray]
    validation: tuple[pd.DataFrame, np.ndarray] | None
    labels: list[Any] | None
    categorical: list[str]
    crew: Crew = field(default_factory=Crew)
    sharded: bool = False
    text: tuple[int, ...] = ()


def train(fit: Callable[[Work], None]) -> None:
    """Read, check, fit, save, on all hosts of the job."""
    told = model.told()
    many = len(crew.hosts())
    if many > 1 and not told["several_hosts"]:
        raise Refused(f"{told['model_id']} trains on one instance here; the job asks for {many}. Set the count to 1.")
    crew.run(lambda here: _train(told, fit, here))


def _train(told: Mapping[str, Any], fit: Callable[[Work], None], here: Crew) -> None:
    given = parameters.read(told["hyperparameters"])
    data = channels.find()
    work = _work(told["task"], given, data, here, told.get("raw", False))
    rows, width = work.training[0].shape
    validated = f", validating with {len(work.validation[1])} rows" if work.validation else ""
    print(f"Training with {rows} rows of {width} features{validated}.", flush=True)
    fit(work)
    if not here.leads:
        return
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


def _work(task: str, given: Mapping[str, Any], data: channels.Data, here: Crew, raw: bool = False) -> Work:
    training, validation = table.load(data, raw)
    labels = _agreed(task, training, here)
    pair = _pair(validation, labels) if validation else None
    names = [f"feature_{column - 1}" for column in data.categorical]
    return Work(given, _pair(training, labels), pair, labels, names, here, data.sharded, training.text)


def _pair(given: table.Table, labels: list[Any] | None) -> tuple[pd.DataFrame, np.ndarray]:
    return given.features, targets.numbers(given) if labels is None else targets.classes(given, labels)


def _agreed(task: str, training: table.Table, here: Crew) -> list[Any] | None:
    """The labels that any host's training data have; Refused when the data are of different widths."""
    classification = task == targets.CLASSIFICATION
    mine = {"width": training.features.shape[1], "labels": targets.seen(training) if classification else []}
    told = here.gather(mine)
    if len({each["width"] for each in told}) > 1:
        widths = ", ".join(f"{each['width']} on {name}" for name, each in zip(here.names, told, strict=True))
        raise Refused(f"The hosts' data differ in their number of features: {widths}.")
    return targets.labels([label for each in told for label in each["labels"]]) if classification else None
