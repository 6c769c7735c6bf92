"""Training as the Factorization Machines image does it: Adam over sparse mini-batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.factorization_machines import artifact, machine
from algorithms.factorization_machines.hyperparameters import DECLARED
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
    hidden={"_optimizer": "adam"},
    formats=(RECORDIO,),
    channels=(Channel("train", required=True, piped=(RECORDIO,)), Channel("test", piped=(RECORDIO,))),
)
SEED = 1


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, save, evaluate."""
    binary = run.values["predictor_type"] == "binary_classifier"
    rows, labels = _numbers("train", run.table("train", labelled=True), binary)
    test = run.maybe("test", labelled=True)
    held = _numbers("test", test, binary) if test is not None else None
    draw = np.random.default_rng(SEED)
    found = machine.begin(run.values, draw)
    adam = machine.Adam(found, run.values)
    run.log.info("[Sparse network] Building a sparse network.")
    for epoch in range(run.values["epochs"]):
        start = time.time()
        scores = _epoch(run, adam, (rows, labels), binary, epoch)
        _demand_finite(scores)
        _tell(lambda name, value, kind: run.log.quality("train", name, value, kind, epoch=epoch),  # noqa: B023
              machine.measures(scores, labels, binary))  # fmt: skip
        run.log.seen(len(labels), -(-len(labels) // run.values["mini_batch_size"]), epoch=epoch)
        run.log.progress(epoch + 1, run.values["epochs"])
        run.log.throughput(len(labels), start)
    run.log.info("Pulling entire model from kvstore to finalize")
    _tell(lambda name, value, kind: run.log.quality("train", name, value, kind),
          machine.measures(found.scores(rows), labels, binary))  # fmt: skip
    run.save(MODEL, artifact.write(found, binary))
    if held is None:
        run.log.info("Test data is not provided.")
        return
    measured = machine.measures(found.scores(held[0]), held[1], binary)
    _tell(lambda name, value, _: run.log.score("test", name, value), measured)
    _tell(lambda name, value, kind: run.log.quality("test", name, value, kind), measured)


def _epoch(run: Run, adam: machine.Adam, data: tuple[Any, Any], binary: bool, epoch: int) -> NDArray[np.float32]:
    """One pass over the rows in their order; the score of each as it was when its turn came."""
    rows, labels = data
    size, interval = run.values["mini_batch_size"], run.values["batch_metrics_publish_interval"]
    seen = np.empty(len(labels), np.float32)
    for batch, at in enumerate(range(0, len(labels), size)):
        part, wanted = rows[at : at + size], labels[at : at + size]
        seen[at : at + size] = scores = adam.machine.scores(part)
        adam.step(adam.machine.gradients(part, machine.outer(scores, wanted, binary)), len(wanted))
        if batch % interval == 0:
            for name, (value, kind) in machine.measures(scores, wanted, binary).items():
                run.log.quality("train", name, value, kind, epoch=epoch, batch=batch)
    return seen


def _tell(line: Callable[[str, float, str], None], measured: dict[str, tuple[float, str]]) -> None:
    for name, (value, kind) in measured.items():
        line(name, value, kind)


def _numbers(channel: str, table: Table, binary: bool) -> tuple[csr_matrix, NDArray[np.float32]]:
    labels = table.labels
    assert labels is not None
    if binary and not np.isin(labels, (0, 1)).all():
        bad = labels[~np.isin(labels, (0, 1))][0]
        raise UserError(wording.label_out_of_range(channel, bad, "0 or 1"))
    return csr_matrix(table.features), labels


def _demand_finite(scores: NDArray[np.float32]) -> None:
    if not np.isfinite(scores).all():
        raise UserError(
            "The training has diverged: scores are no finite numbers any more. "
            "Lower bias_lr, linear_lr and factors_lr, or scale the features."
        )
