"""k-fold cross validation: one model a fold (`xgboost-model-0`, …), and what each row's own fold foresaw for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from algorithms.common.contract import log
from algorithms.xgboost import callbacks

if TYPE_CHECKING:
    from algorithms.xgboost.team import Team
    from algorithms.xgboost.train import Task

PREDICTIONS = "predictions.csv"


def cross_validate(task: Task, whole: Any, team: Team) -> None:
    """Train on all folds, print the mean of their last metrics, save the models and `predictions.csv`.

    Each host of a team divides its own rows; a fold is what all of them hold out together.
    """
    import numpy

    from algorithms.xgboost import train

    folds, repeats = int(task.values["_kfold"]), int(task.values.get("_num_cv_round", 1))
    log(f"Run {repeats}-round of {folds}-fold cross validation with {whole.num_row()} rows")
    foreseen: list[list[Any]] = [[] for _ in range(whole.num_row())]
    scores: list[dict[str, float]] = []
    for number, (inside, outside) in enumerate(_splits(task, whole)):
        log(f"Train cross validation fold {number % folds + 1}")
        held = whole.slice(outside)
        name = f"{train.MODEL}-{number}"
        own = task.layout.checkpoints / f"model-{number}" if task.layout.checkpoints else None
        watched = [(whole.slice(inside), "train"), (held, "validation")]
        booster, history = train.fit(task, watched, (name, own), team)
        if team.leads:
            callbacks.save(booster, task.layout.model / name)
        for row, prediction in zip(outside, booster.predict(held), strict=True):
            foreseen[row].append(prediction)
        scores.append({f"{data}-{metric}": values[-1] for data, of in history.items() for metric, values in of.items()})
        if len(scores) % folds == 0:
            log(f"The metrics of round {len(scores) // folds} cross validation")
            _print(task.rounds, scores[-folds:], team)
    if repeats > 1:
        log(f"The overall metrics of {repeats}-round cross validation")
        _print(task.rounds, scores, team)
    labels, predictions = zip(*team.gather((whole.get_label(), numpy.array(foreseen))), strict=True)
    if team.leads:
        _save_predictions(task, numpy.concatenate(labels), numpy.concatenate(predictions))


def _is_classification(task: Task) -> bool:
    return task.objective.startswith(("binary:", "multi:"))


def _splits(task: Task, whole: Any) -> Any:
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    kind = RepeatedStratifiedKFold if _is_classification(task) else RepeatedKFold
    seed = int(task.values.get("seed", 0)) & 0xFFFFFFFF
    splitter = kind(n_splits=task.values["_kfold"], n_repeats=task.values.get("_num_cv_round", 1), random_state=seed)
    return splitter.split(range(whole.num_row()), whole.get_label() if _is_classification(task) else None)


def _print(rounds: int, scores: Sequence[dict[str, float]], team: Team) -> None:
    if not team.leads:
        return
    means = {name: sum(one[name] for one in scores) / len(scores) for name in scores[0]}
    print("\t".join([f"[{rounds}]", *(f"{name}:{value:.5f}" for name, value in means.items())]), flush=True)


def _save_predictions(task: Task, labels: Any, found: Any) -> None:
    """Columns: label, then for a classification the mean probability and the most frequent class, else the mean."""
    import numpy

    columns = [labels]
    if _is_classification(task):
        classes = found.argmax(axis=-1) if found.ndim > 2 else _classes(task, found)
        chance = found.max(axis=-1) if found.ndim > 2 else found
        frequent = [numpy.bincount(row.astype(int)).argmax() for row in classes]
        columns += [chance.mean(axis=1), numpy.array(frequent)]
    else:
        columns.append(found.mean(axis=1))
    task.layout.output_data.mkdir(parents=True, exist_ok=True)
    numpy.savetxt(task.layout.output_data / PREDICTIONS, numpy.column_stack(columns), delimiter=",", fmt="%f")


def _classes(task: Task, found: Any) -> Any:
    if task.objective == "multi:softmax":
        return found
    return found > (0 if task.objective == "binary:logitraw" else 0.5)
