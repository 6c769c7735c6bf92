"""What happens after each boosting round: metric lines, checkpoints, early stopping, and a last save on SIGTERM."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from algorithms.common.contract import log
from algorithms.xgboost.library import xgboost
from algorithms.xgboost.team import Team

CHECKPOINT = "xgboost-checkpoint"
CHECKPOINTS_KEPT = 5
SAVE_EVERY = 20.0
"""Seconds after which the model is saved besides, should one round outlast the grace between SIGTERM and SIGKILL."""

Scores = Mapping[str, Mapping[str, Sequence[float]]]


class InOrder(xgboost.callback.TrainingCallback):
    """Several callbacks, each called in each round, in this order.

    xgboost keeps callbacks in a set and asks no further one when one ends the training: the last line would be missing.
    """

    def __init__(self, steps: Sequence[Any], done: int = 0) -> None:
        """`done` rounds of a resumed training are counted in: xgboost itself begins at 0 again."""
        super().__init__()
        self._steps = steps
        self._done = done

    def before_training(self, model: Any) -> Any:
        for step in self._steps:
            model = step.before_training(model)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Scores) -> bool:
        ends = [step.after_iteration(model, epoch + self._done, evals_log) for step in self._steps]
        return any(ends)

    def after_training(self, model: Any) -> Any:
        for step in self._steps:
            model = step.after_training(model)
        return model


class MetricLines(xgboost.callback.TrainingCallback):
    """One line per round, for the service's regexes: `[0]<TAB>train-rmse:8.09483<TAB>validation-rmse:8.33559`."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Scores) -> bool:
        parts = [f"{data}-{name}:{values[-1]:.5f}" for data, of in evals_log.items() for name, values in of.items()]
        sys.stdout.write("\t".join([f"[{epoch}]", *parts]) + "\n")
        sys.stdout.flush()
        return False


class Checkpoints(xgboost.callback.TrainingCallback):
    """Saves `xgboost-checkpoint.<round>` after each round and keeps the last five of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def after_iteration(self, model: Any, epoch: int, evals_log: Scores) -> bool:
        save(model, self._folder / f"{CHECKPOINT}.{epoch}")
        (self._folder / f"{CHECKPOINT}.{epoch - CHECKPOINTS_KEPT}").unlink(missing_ok=True)
        return False


class SaveOnTermination(xgboost.callback.TrainingCallback):
    """On SIGTERM: saves what is trained when the round is over, and ends the process with status 0.

    The hosts of a team end after the same round: none may wait for another that has ended.
    """

    def __init__(self, path: Path, team: Team) -> None:
        super().__init__()
        self._path = path
        self._team = team
        self._asked = False
        self._saved_at = time.monotonic()
        self._before = signal.signal(signal.SIGTERM, self._ask)

    def after_iteration(self, model: Any, epoch: int, evals_log: Scores) -> bool:
        asked = self._team.agree(self._asked)
        if asked or not self._path.exists() or time.monotonic() - self._saved_at > SAVE_EVERY:
            self._save(model)
            self._saved_at = time.monotonic()
        if asked:
            self._end(f"Stopped after {epoch + 1} rounds")
        return False

    def after_training(self, model: Any) -> Any:
        if self._team.agree(self._asked):
            self._save(model)
            self._end("Stopped at the end")
        signal.signal(signal.SIGTERM, self._before)
        return model

    def _save(self, model: Any) -> None:
        if self._team.leads:
            save(model, self._path)

    def _end(self, when: str) -> None:
        log(f"{when}; the model is saved as {self._path.name}")
        self._team.leave()
        sys.stdout.flush()
        os._exit(0)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True


def save(model: Any, path: Path) -> None:
    """Write the whole model or nothing: a kill in the middle leaves the older file. UBJSON, whatever the name."""
    partial = path.parent / f".{path.name}.partial"
    partial.write_bytes(model.save_raw("ubj"))
    partial.replace(path)


def newest_checkpoint(folder: Path) -> tuple[Path, int] | None:
    """The checkpoint to go on from, and how many rounds it has."""
    if not folder.is_dir():
        return None
    named = ((re.fullmatch(rf"{CHECKPOINT}\.(\d+)", path.name), path) for path in folder.iterdir())
    found = [(int(match.group(1)), path) for match, path in named if match]
    return (max(found)[1], max(found)[0] + 1) if found else None
