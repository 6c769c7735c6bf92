"""Training as the XGBoost container does it in algorithm mode: validate, load, boost, save `xgboost-model`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from algorithms import catalog
from algorithms.common import channels
from algorithms.common.channels import Channel
from algorithms.common.contract import Layout, log, run_training
from algorithms.common.faults import UserError
from algorithms.xgboost import callbacks, data, hyperparameters, metrics
from algorithms.xgboost.library import xgboost

MODEL = "xgboost-model"
CHANNELS = (Channel("train", required=True), Channel("validation"), Channel("code"))
NO_BOOSTER_PARAMETERS = (
    "num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "_tuning_objective_metric",
    "_kfold", "_num_cv_round", "eval_metric", *hyperparameters.WITHOUT_EFFECT,
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """A validated job: the container's own options in `values`, and what goes to xgboost."""

    layout: Layout
    values: Mapping[str, Any]
    parameters: Mapping[str, Any]
    metrics: tuple[str, ...]

    @property
    def rounds(self) -> int:
        return int(self.values["num_round"])

    @property
    def objective(self) -> str:
        return str(self.values.get("objective", "reg:squarederror"))


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, _end)  # The kernel ignores SIGTERM for process 1 that does not handle it.
    return run_training(Layout.from_environment(), train)


def train(layout: Layout) -> None:
    """The whole job; UserError for what the user can put right."""
    log("Running XGBoost Sagemaker in algorithm mode")
    version = catalog.get("xgboost").version(os.environ.get("SAGELET_IMAGE", ""))
    values = hyperparameters.read(layout.hyperparameters, version)
    given = layout.channels
    channels.check(CHANNELS, given)
    if len(layout.hosts) > 1:
        raise UserError(
            f"Training on {len(layout.hosts)} hosts ({', '.join(layout.hosts)}) is not built yet: "
            "set InstanceCount to 1."
        )
    task = Task(layout, values, _parameters(values), _metrics(values))
    log("Determined 0 GPU(s) available on the instance.")
    form = data.format_of(given["train"].get("ContentType"))
    weighted = values.get("csv_weights") == 1
    train_data = _load(layout, "train", form, weighted)
    validation = None
    if "validation" in given:
        data.warn_of_twins(layout.channel("train"), layout.channel("validation"))
        own = data.format_of(given["validation"].get("ContentType") or given["train"].get("ContentType"))
        validation = _load(layout, "validation", own, weighted)
    log("Single node training.")
    log(f"Train matrix has {train_data.num_row()} rows and {train_data.num_col()} columns")
    if validation is not None:
        log(f"Validation matrix has {validation.num_row()} rows")
    try:
        _boost(task, train_data, validation, (form, weighted))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise UserError(f"XGB train call failed with exception:\n {data.first_line(error)}") from error


def _boost(task: Task, train_data: Any, validation: Any | None, source: tuple[str, bool]) -> None:
    task.layout.model.mkdir(parents=True, exist_ok=True)
    if "_kfold" in task.values:
        from algorithms.xgboost import folds

        names = ["train"] if validation is None else ["train", "validation"]
        whole = train_data
        if validation is not None:
            whole = data.load([task.layout.channel(name) for name in names], *source)
        folds.cross_validate(task, whole)
        return
    evals = [(train_data, "train")] + ([(validation, "validation")] if validation is not None else [])
    booster, _ = fit(task, evals, MODEL, task.layout.checkpoints)
    callbacks.save(booster, task.layout.model / MODEL)


def fit(task: Task, evals: list[tuple[Any, str]], name: str, checkpoints: Path | None) -> tuple[Any, callbacks.Scores]:
    """Train on the first of `evals`, with all that goes on around it: the booster and the scores of its rounds."""
    start = callbacks.newest_checkpoint(checkpoints) if checkpoints else None
    done = 0
    if start:
        log(f"Checkpoint loaded from {start[0]}")
        log(f"Resuming from iteration {start[1]}")
        done = start[1]
    steps: list[Any] = [callbacks.MetricLines()]
    if checkpoints:
        steps.append(callbacks.Checkpoints(checkpoints))
    if task.values.get("save_model_on_termination") == "true":
        steps.append(callbacks.SaveOnTermination(task.layout.model / name))
    steps += _early_stopping(task, len(evals) > 1)
    native, own = metrics.split(task.metrics)
    parameters = dict(task.parameters) | ({"eval_metric": native} if native else {})
    scores: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        parameters,
        evals[0][0],
        num_boost_round=max(task.rounds - done, 0),
        evals=evals,
        custom_metric=metrics.evaluator(own, task.objective),
        callbacks=[callbacks.InOrder(steps, done)],
        xgb_model=xgboost.Booster(model_file=bytearray(start[0].read_bytes())) if start else None,
        evals_result=scores,
        verbose_eval=False,
    )
    return booster, scores


def _early_stopping(task: Task, validated: bool) -> list[Any]:
    rounds = task.values.get("early_stopping_rounds")
    if not rounds:
        return []
    if not validated:
        log("early_stopping_rounds has no effect without a validation channel", "WARNING")
        return []
    watched = task.metrics[-1] if task.metrics else None
    maximize = metrics.is_maximized(watched) if watched else task.objective.startswith("rank:")
    return [
        xgboost.callback.EarlyStopping(
            rounds=rounds, metric_name=watched, data_name="validation", maximize=maximize, save_best=True
        )
    ]


def _parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    for name in hyperparameters.WITHOUT_EFFECT:
        if name in values:
            log(f"Hyperparameter {name} has no effect in XGBoost {xgboost.__version__}", "WARNING")
    parameters = {"seed": 0} | {n: v for n, v in values.items() if n not in NO_BOOSTER_PARAMETERS}
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    for name in ("monotone_constraints", "interaction_constraints"):
        if name in parameters:
            parameters[name] = str(parameters[name])
    return parameters


def _metrics(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The metrics to watch; the last one, the tuning job's if there is one, decides on early stopping."""
    wanted = list(dict.fromkeys(values.get("eval_metric", ())))
    objective = str(values.get("_tuning_objective_metric", "")).partition(":")[2]
    if objective:
        log(f"Setting up HPO optimized metric to be : {objective}")
        wanted = [name for name in wanted if name != objective] + [objective]
    return tuple(wanted)


def _load(layout: Layout, channel: str, form: str, weighted: bool) -> Any:
    folder = layout.channel(channel)
    found = data.load([folder], form, weighted) if folder.exists() else None
    if found is None or not found.num_row():
        named = "training" if channel == "train" else channel
        raise UserError(f"No data in {named} channel path {folder}")
    return found


def _end(number: int, frame: FrameType | None) -> None:
    sys.stdout.flush()
    os._exit(128 + number)
