"""Training as the XGBoost container does it in algorithm mode: validate, load, boost, save `xgboost-model`.

In script mode (`sagemaker_program`) the user's script does all that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithms import catalog
from algorithms.common import channels
from algorithms.common.contract import Layout, end_on_sigterm, log, run_training
from algorithms.common.earlier import members
from algorithms.common.faults import UserError
from algorithms.first_party.definition import MODEL_CHANNEL
from algorithms.xgboost import callbacks, data, hosts, hyperparameters, library, metrics, model
from algorithms.xgboost.definition import DEFINITION
from algorithms.xgboost.inputs import Inputs
from algorithms.xgboost.library import xgboost
from algorithms.xgboost.team import Team, blames_others

MODEL = "xgboost-model"
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
        end_on_sigterm()
    layout = Layout.from_environment()
    if "sagemaker_program" in layout.hyperparameters:
        from algorithms.script_mode.train import Family, run

        return run(Family("xgboost", "sagemaker_xgboost_container.training:main"))
    library.do_without_pandas(sklearn=True)  # which computes some metrics and folds
    code = run_training(layout, train)
    if len(layout.hosts) > 1:
        hosts.end_at_once(code)
    return code


def train(layout: Layout) -> None:
    """The whole job; UserError for what the user can put right."""
    log("Running XGBoost Sagemaker in algorithm mode")
    version = catalog.get("xgboost").version(os.environ.get("SAGELET_IMAGE", ""))
    values = hyperparameters.read(layout.hyperparameters, version)
    channels.check(DEFINITION.channels, layout.channels)
    task = Task(layout, values, _parameters(values), _metrics(values))
    log("Determined 0 GPU(s) available on the instance.")
    if len(layout.hosts) > 1:
        hosts.train(task, boost)
        return
    found = Inputs.read(layout, values)
    found.demand()
    log("Single node training.")
    boost(task, found, Team())


def boost(task: Task, found: Inputs, team: Team) -> None:
    """Train on what is found here, together with the team."""
    log(f"Train matrix has {found.train.num_row()} rows and {found.train.num_col()} columns")
    if found.validation is not None:
        log(f"Validation matrix has {found.validation.num_row()} rows")
    task.layout.model.mkdir(parents=True, exist_ok=True)
    try:
        if "_kfold" in task.values:
            from algorithms.xgboost import folds

            folds.cross_validate(task, found.whole, team)
            return
        booster, _ = fit(task, found.watched, (MODEL, task.layout.checkpoints), team)
    except (xgboost.core.XGBoostError, ValueError) as error:
        if blames_others(error):
            raise
        raise UserError(f"XGB train call failed with exception:\n {data.first_line(error)}") from error
    if team.leads:
        callbacks.save(booster, task.layout.model / MODEL)


def fit(
    task: Task, evals: list[tuple[Any, str]], names: tuple[str, Path | None], team: Team
) -> tuple[Any, callbacks.Scores]:
    """Train on the first of `evals`, with all that goes on around it: the booster and the scores of its rounds.

    `names`: the model's, and the folder of its checkpoints.
    """
    name, checkpoints = names
    start, done = _start(task.layout, checkpoints, team)
    steps: list[Any] = [callbacks.MetricLines()] if team.leads else []
    if checkpoints and team.leads:
        steps.append(callbacks.Checkpoints(checkpoints))
    if task.values.get("save_model_on_termination") == "true":
        steps.append(callbacks.SaveOnTermination(task.layout.model / name, team))
    steps += _early_stopping(task, len(evals) > 1)
    native, own = metrics.split(task.metrics)
    parameters = dict(task.parameters) | ({"eval_metric": native} if native else {})
    scores: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        parameters,
        evals[0][0],
        num_boost_round=max(task.rounds - done, 0),
        evals=evals,
        custom_metric=metrics.evaluator(own, task.objective, team.gather),
        callbacks=[callbacks.InOrder(steps, done)],
        xgb_model=start,
        evals_result=scores,
        verbose_eval=False,
    )
    return booster, scores


def _start(layout: Layout, checkpoints: Path | None, team: Team) -> tuple[Any | None, int]:
    """The model to go on from, and how many rounds of this job it has: those of the leader, who has written them."""
    newest = callbacks.newest_checkpoint(checkpoints) if checkpoints and team.leads else None
    earlier = _earlier(layout) if newest is None and team.leads else b""
    saved, done = team.gather((newest[0].read_bytes(), newest[1]) if newest else (earlier, 0))[0]
    if not saved:
        return None, 0
    if newest:
        log(f"Checkpoint loaded from {newest[0]}")
    if done:
        log(f"Resuming from iteration {done}")
    return xgboost.Booster(model_file=bytearray(saved)), done


def _earlier(layout: Layout) -> bytes:
    """The model in the channel `model`, as a file of today's form; nothing without the channel.

    To it the rounds of this job are added. An addition of ours: the image knows no such channel.
    """
    if MODEL_CHANNEL not in layout.channels:
        return b""
    found = {name: content for name, content in members(layout.channel(MODEL_CHANNEL)).items() if name[:1] != "."}
    if len(found) != 1:
        raise UserError(
            f"Channel '{MODEL_CHANNEL}' holds {sorted(found)}: it is to have the one model of an earlier job."
        )
    [(name, content)] = found.items()
    booster = model.booster(Path(name), content)
    log(f"Going on from the {booster.num_boosted_rounds()} rounds of {name} in channel '{MODEL_CHANNEL}'")
    return bytes(booster.save_raw("ubj"))


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
