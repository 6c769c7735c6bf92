"""Training as the k-NN image does it: sample, reduce, index; then the test channel, if there is one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.data import Table
from algorithms.first_party.definition import CSV, RECORDIO, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.knn import index
from algorithms.knn.hyperparameters import CHECKS, DECLARED, whole_parts
from algorithms.knn.model import Neighbours, vectors
from algorithms.knn.reduction import Reduction

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIPED = (RECORDIO, CSV)
DEFINITION = Definition(
    title="AWS/KNN",
    hyperparameters=DECLARED,
    checks=CHECKS,
    hidden={"_faiss_index_nprobe": index.PROBES, "epochs": 1},
    channels=(Channel("train", required=True, piped=PIPED), Channel("test", piped=PIPED)),
)
SEED = 1


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Sample, index, save, evaluate."""
    values, start = run.values, time.time()
    table = run.table("train", labelled=True)
    sample, labels = _sampled(run, table)
    run.log.seen(len(table), -(-len(table) // values["mini_batch_size"]), epoch=0)
    run.log.progress(1, 1)
    run.log.throughput(len(table), start)
    if len(sample) < values["k"]:
        raise UserError(f"k is {values['k']}, more than the {len(sample)} records that were sampled.")
    reduction = _reduction(run, table.width)
    normalize = values["index_metric"] == "COSINE"
    run.log.info("Training index...")
    began = time.time()
    width = reduction.target_dim if reduction else whole_parts(table.width, values)
    built = index.build(vectors(sample, reduction, normalize, width), values)
    run.log.info(f"...Finished training index in {round(time.time() - began)} second(s)")
    run.log.info("Adding data to index...")
    run.log.info("...Finished adding data to index in 0 second(s)")
    narrower = None if reduction or width == table.width else table.width
    model = Neighbours(built, labels, values["k"], values["predictor_type"], reduction, normalize, narrower)
    for name, content in model.files().items():
        run.save(name, content)
    _test(run, model)


def _sampled(run: Run, table: Table) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As many records as `sample_size` says, each as likely as any other, in their order."""
    size, labels = run.values["sample_size"], table.labels
    assert labels is not None
    run.log.info(f"Using per-worker sample size = {size}")
    run.log.info(f"Getting reservoir sample from {run.layout.current_host}...")
    chosen = np.arange(len(table))
    if size < len(table):
        chosen = np.sort(np.random.default_rng(SEED).choice(len(table), size, replace=False))
    rows = table.features[chosen]
    dense = rows.toarray() if table.is_sparse else rows
    shapes = f"data={dense.shape}, labels={labels[chosen].shape}, NaNs=0"
    run.log.info(f"...Got reservoir sample from {run.layout.current_host}: {shapes}")
    return dense, labels[chosen]


def _reduction(run: Run, width: int) -> Reduction | None:
    kind = run.values.get("dimension_reduction_type")
    if kind is None:
        return None
    target = run.values["dimension_reduction_target"]
    if target >= width:
        raise UserError(
            f"dimension_reduction_target is {target}; it must be less than the {width} features of the data."
        )
    return Reduction(kind, SEED, whole_parts(target, run.values), width)


def _test(run: Run, model: Neighbours) -> None:
    if (table := run.maybe("test", labelled=True)) is None:
        run.log.info("Test data is not provided.")
        return
    assert table.labels is not None
    run.log.info("Searching index...")
    began = time.time()
    found = model.predict(table.features)["predicted_label"]
    run.log.info(f"...Done searching index in {round(time.time() - began)} second(s)")
    if model.predictor_type == "regressor":
        mean = float(((found.astype(np.float64) - table.labels) ** 2).mean())
        run.log.score("test", "mse", mean)
        run.log.quality("test", "mse", mean)
        return
    for name, value in (("accuracy", accuracy(table.labels, found)), ("macro_f_1.000", macro_f1(table.labels, found))):
        run.log.score("test", name, value)
        run.log.quality("test", name, value, "score")


def accuracy(labels: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """The share of right labels."""
    return float((labels == found).mean())


def macro_f1(labels: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """The mean of the F1 of every class that occurs."""
    scores = []
    for one in np.union1d(labels, found):
        right = float(((labels == one) & (found == one)).sum())
        scores.append(2 * right / float((labels == one).sum() + (found == one).sum()))
    return float(np.mean(scores))
