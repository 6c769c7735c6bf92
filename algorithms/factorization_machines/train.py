"""Training as the Factorization Machines image does it: Adam over sparse mini-batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.factorization_machines import artifact, machine
from algorithms.factorization_machines.hyperparameters import CHECKS, DECLARED
from algorithms.first_party import wording
from algorithms.first_party.data import Table
from algorithms.first_party.definition import RECORDIO, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFINITION = Definition(
    title="factorization-machines",
    hyperparameters=DECLARED,
    checks=CHECKS,
    hidden={"_optimizer": "adam"},
    formats=(RECORDIO,),
    channels=(Channel("train", required=True, piped=(RECORDIO,)), Channel("test", piped=(RECORDIO,))),
)
SEED = 1
Measured = dict[str, tuple[float, str]]


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, save, evaluate."""
    binary = run.values["predictor_type"] == "binary_classifier"
    data = _numbers("train", run.table("train", labelled=True), binary)
    test = run.maybe("test", labelled=True)
    held = _numbers("test", test, binary) if test is not None else None
    found = machine.begin(run.values, np.random.default_rng(SEED))
    sparse = run.table("train").is_sparse
    kind = "sparse" if sparse else "dense"
    run.log.info(f"[{kind.capitalize()} network] Building a {kind} network.")
    trainer = machine.Trainer(found, run.values)
    for epoch in range(run.values["epochs"]):
        start = time.time()
        seen = _epoch(run, trainer, data, binary, epoch)
        _tell(partial(run.log.quality, "train", epoch=epoch), seen)
        run.log.metrics({"update.time": 1000 * (time.time() - start)}, since=start, epoch=epoch)
        run.log.seen(len(data[1]), -(-len(data[1]) // run.values["mini_batch_size"]), epoch=epoch)
        run.log.progress(epoch + 1, run.values["epochs"])
        run.log.throughput(len(data[1]), start)
    _tell(partial(run.log.quality, "train"), machine.measures(_finite(found.scores(data[0])), data[1], binary))
    run.save(MODEL, artifact.write(found, sparse, run.values))
    if held is None:
        run.log.info("Test data is not provided.")
        return
    measured = machine.measures(found.scores(held[0]), held[1], binary)
    measured = measured if binary else {"rmse": measured["rmse"]}
    _tell(lambda name, value, _: run.log.score("test", name, value), measured)
    _tell(partial(run.log.quality, "test"), measured)


def _epoch(run: Run, trainer: machine.Trainer, data: tuple[Any, Any], binary: bool, epoch: int) -> Measured:
    """One pass over the records in their order; the metrics of each as it was scored when its turn came."""
    rows, labels = data
    size, interval = run.values["mini_batch_size"], run.values["batch_metrics_publish_interval"]
    seen = np.empty(len(labels), np.float32)
    for batch, at in enumerate(range(0, len(labels), size)):
        done = min(at + size, len(labels))
        seen[at:done] = trainer.learn(rows[at:done], labels[at:done], binary)
        if batch % interval == 0:
            measured = machine.measures(_finite(seen[:done]), labels[:done], binary)
            _tell(partial(run.log.quality, "train", epoch=epoch, batch=batch), measured)
    return machine.measures(_finite(seen), labels, binary)


def _tell(line: Callable[..., None], measured: Measured) -> None:
    for name, (value, kind) in measured.items():
        line(name, value, kind)


def _numbers(channel: str, table: Table, binary: bool) -> tuple[Any, NDArray[np.float32]]:
    labels = table.labels
    assert labels is not None
    if binary and not np.isin(labels, (0, 1)).all():
        bad = labels[~np.isin(labels, (0, 1))][0]
        raise UserError(wording.label_out_of_range(channel, bad, "0 or 1"))
    return table.features, labels


def _finite(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(scores).all():
        raise UserError(
            "The training has diverged: scores are no finite numbers any more. Lower bias_lr, linear_lr and "
            "factors_lr, set clip_gradient, or scale the features."
        )
    return scores
