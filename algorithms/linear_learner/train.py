"""Training as the Linear Learner image does it: many models at once, the best of the best epoch, its scores.

A channel `model` with the artifact of an earlier job is where training goes on from; that is ours, not the image's.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import threads
from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party import data, wording
from algorithms.first_party.definition import CSV, RECORDIO, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.linear_learner import artifact, scores, thresholds
from algorithms.linear_learner.candidates import OBJECTIVE
from algorithms.linear_learner.hyperparameters import CHECKS, DECLARED, resolved
from algorithms.linear_learner.model import Linear
from algorithms.linear_learner.training import Records, Training, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIPED = (RECORDIO, CSV)
DEFINITION = Definition(
    title="Linear Learner",
    hyperparameters=DECLARED,
    checks=CHECKS,
    hidden={"_enable_profiler": "false"},
    channels=(
        Channel("train", required=True, piped=PIPED),
        Channel("validation", piped=PIPED),
        Channel("test", piped=PIPED),
    ),
)
SEED = 1


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, choose, save, evaluate."""
    values = resolved(run.values) | {OBJECTIVE: run.layout.hyperparameters.get(OBJECTIVE, "")}
    train = _records(run, "train", values)
    validation = _records(run, "validation", values, train) if run.has("validation") else None
    test = _records(run, "test", values, train) if run.has("test") else None
    training = Training(values, train, np.random.default_rng(SEED))
    _tell_scaling(run, training)
    judged = train if validation is None else validation
    with threads.suited(training.multiplications), np.errstate(all="ignore"):  # A model that diverges is not chosen.
        Epochs(run, values, training, train, validation).run()
        model, index = _choose(run, values, training, judged)
    split = "train" if validation is None else "validation"
    _tell_scores(run, split, training, (model, index), judged)
    _tell_candidate(run, values, training, index)
    run.save(MODEL, artifact.write(model))
    if test is None:
        run.log.info("Test data is not provided.")
        return
    run.log.seen(len(test), -(-len(test) // values["mini_batch_size"]), meta="test_data_iter")
    _tell_scores(run, "test", training, (model, index), test)


@dataclass
class Epochs:
    """The passes over the data, what is said of them, and when to stop."""

    job: Run
    values: dict[str, Any]
    training: Training
    train: Records
    validation: Records | None
    best: tuple[float, float] | None = None
    state: Any = None
    stale: int = 0

    def run(self) -> None:
        """Leaves the training in the state of its best epoch.

        A short one is not ended early: its epochs are a step or two, which may well be worse than those before.
        """
        for number in range(self.values["epochs"]):
            start = time.time()
            verdict = self._epoch(number)
            if not np.isfinite(verdict.losses).any():
                raise UserError(
                    "All models have diverged: their loss is no finite number any more. Set a smaller learning_rate, "
                    "or leave it and normalize_data to their defaults."
                )
            self._judge(number, verdict)
            self._count(number, start)
            if self.stale >= self.values["early_stopping_patience"] and not self.training.is_short:
                self.job.log.info("Early stop condition met. Stopping training.")
                break
        self.training.restore(self.state)

    def _epoch(self, number: int) -> Verdict:
        losses = self.training.epoch()
        self._tell("train", losses, number)
        if self.validation is None:
            return Verdict.of(losses)
        verdict = self.training.judge(self.validation)
        self._tell("validation", verdict.losses, number)
        return verdict

    def _judge(self, number: int, verdict: Verdict) -> None:
        """Keep the best epoch, and count those without an improvement that is worth the name."""
        by_criterion = self.validation is not None and self.training.by_threshold
        name = f"sampled_{thresholds.criterion(self.values)}" if by_criterion else self.training.objective
        value = verdict.key[0] if by_criterion else -verdict.key[0]
        self.job.log.early_stopping(number, name, value)
        before = self.best
        if before is None or verdict.key > before:
            self.best, self.state = verdict.key, self.training.state()
        if before is None or self._is_gain(before[0], verdict.key[0]):
            self.job.log.info(f"Epoch {number}: Loss improved. Updating best model")
            self.stale = 0
        else:
            self.job.log.info(f"Epoch {number}: Loss has not improved for {self.stale} epochs.")
            self.stale += 1

    def _is_gain(self, before: float, now: float) -> bool:
        return now > before and now - before >= self.values["early_stopping_tolerance"] * abs(before)

    def _count(self, number: int, start: float) -> None:
        log, size = self.job.log, self.values["mini_batch_size"]
        log.progress(number + 1, self.values["epochs"])
        log.metrics({"update.time": 1000 * (time.time() - start)}, since=start, epoch=number)
        log.seen(len(self.train), -(-len(self.train) // size), epoch=number)
        log.throughput(len(self.train), start)

    def _tell(self, split: str, losses: NDArray[np.float64], number: int) -> None:
        """A line of each model; as a quality metric that of the first, as in the image."""
        for index in np.flatnonzero(np.isfinite(losses)):
            name = f"{split}_{self.training.objective}"
            self.job.log.metrics({name: float(losses[index])}, epoch=number, model=int(index))
        if np.isfinite(losses[0]):
            self.job.log.quality(split, self.training.objective, float(losses[0]), epoch=number)


def _choose(run: Run, values: dict[str, Any], training: Training, records: Records) -> tuple[Linear, int]:
    most = values["num_calibration_samples"]
    verdict = training.judge(records, len(records) if most == "auto" else most)
    index = verdict.best
    model = training.model(index, float(verdict.cuts[index]))
    if training.by_threshold:
        shown = float(model.shown(model.threshold))
        run.log.info(
            f"Selection criteria: {thresholds.criterion(values)}\nmodel: {index}\nthreshold: {shown:f}\n"
            f"score: {verdict.value[index]:f}"
        )
    return model, index


def _records(run: Run, channel: str, values: dict[str, Any], train: Records | None = None) -> Records:
    """A channel's, checked: as wide as the training data, and with labels of the predictor's kind."""
    table = run.table(channel, labelled=True)
    assert table.labels is not None
    if train is not None:
        table = data.fit_width(channel, table, int(train.features.shape[1]), labelled=True)
    if values["predictor_type"] != "regressor":
        _check_classes(channel, table.labels, values)
    return Records(table.features, table.labels)


def _check_classes(channel: str, labels: NDArray[np.float32], values: dict[str, Any]) -> None:
    classes, allowed = 2, "0 and 1 of a binary_classifier"
    if values["predictor_type"] == "multiclass_classifier":
        classes = values["num_classes"]
        allowed = f"whole numbers from 0 to {classes - 1} (num_classes - 1)"
    wrong = (labels != np.floor(labels)) | (labels < 0) | (labels >= classes)
    if wrong.any():
        raise UserError(wording.label_out_of_range(channel, float(labels[wrong.argmax()]), allowed))


def _tell_scaling(run: Run, training: Training) -> None:
    scaling = training.scaling
    told = {
        "stdev_weight": scaling.spread,
        "stdev_label": scaling.label_spread,
        "mean_label": scaling.label_mean,
        "mean_weight": scaling.mean,
    }
    run.log.info(f"Scaling model computed with parameters:\n {told}")
    run.log.info(f"Number of models trained in parallel: {len(training.candidates)}")


def _tell_scores(run: Run, split: str, training: Training, chosen: tuple[Linear, int], records: Records) -> None:
    model, index = chosen
    objective = scores.Score(training.objective, training.objective_of(model, records, index), scores.LOSS)
    found = [objective, *scores.of(model, records.features, records.labels, run.values)]
    for one in found:
        run.log.score(split, one.name, one.value)
    for one in found:
        run.log.quality(split, one.name, one.value, one.kind)


def _tell_candidate(run: Run, values: dict[str, Any], training: Training, index: int) -> None:
    one = training.candidates[index]
    optimizer = "adam" if values["optimizer"] == "auto" else values["optimizer"]
    names = ("learning_rate", "l1", "wd", "lr_scheduler_step", "lr_scheduler_factor", "lr_scheduler_minimum_lr")
    told = {"optimizer": optimizer} | {name: getattr(one, name) for name in names}
    run.log.info(f"Best model found for hyperparameters: {json.dumps(told)}")
