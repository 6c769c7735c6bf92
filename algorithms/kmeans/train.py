"""Training as the K-Means image does it; the model is one array of centres (k, features)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from algorithms.common import ndarray_list, threads
from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import CSV, RECORDIO, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.kmeans import centres
from algorithms.kmeans.hyperparameters import DECLARED

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIPED = (RECORDIO, CSV)
DEFINITION = Definition(
    title="AWS/KMeansWebscale",
    hyperparameters=DECLARED,
    channels=(Channel("train", required=True, piped=PIPED), Channel("test", piped=PIPED)),
)
SEED = 1
AUTO_FACTOR = 10
"""What a real job's log showed for `extra_center_factor` auto."""


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Stream, shrink, save, evaluate."""
    values, train = run.values, run.table("train")
    k, rows = values["k"], train.dense()
    if len(rows) < k:
        raise UserError(f"Channel 'train' has {len(rows)} records, fewer than the {k} clusters that k asks for.")
    factor = AUTO_FACTOR if values["extra_center_factor"] == "auto" else values["extra_center_factor"]
    size = values["mini_batch_size"]
    with threads.suited(min(size, len(rows)) * train.width * k * factor):
        found = _found(run, rows, k, factor)
    run.save(MODEL, ndarray_list.write([found]))
    run.log.quality("train", "msd", _mean_squared(rows, found))
    if (test := run.maybe("test")) is None:
        run.log.info("Test data is not provided.")
        return
    mean = _mean_squared(test.dense(), found)
    for metric in values["eval_metrics"]:
        value = mean if metric == "msd" else mean * len(test)
        run.log.score("test", metric, value)
        run.log.quality("test", metric, value)


def _found(run: Run, rows: NDArray[np.float32], k: int, factor: int) -> NDArray[np.float32]:
    """The centres (k, features)."""
    values, draw = run.values, np.random.default_rng(SEED)
    size = values["mini_batch_size"]
    stream = centres.Stream.begin(
        rows[: max(size, k * factor)], k * factor, values["init_method"], draw, values["half_life_time_size"]
    )
    for epoch in range(values["epochs"]):
        start = time.time()
        batches = [rows[at : at + size] for at in range(0, len(rows), size)]
        for batch in batches:
            stream.take(batch)
        run.log.seen(len(rows), len(batches), epoch=epoch)
        run.log.metrics({"update.time": 1000 * (time.time() - start)}, since=start)
        run.log.info(f"processed a total of {len(rows)} examples")
        run.log.progress(epoch + 1, values["epochs"])
        run.log.throughput(len(rows), start)
    if factor == 1:
        run.log.info("No shrinking is required as extra_center_factor is 1.")
        return stream.centres.astype(np.float32)
    run.log.info(f"shrinking {len(stream.centres)} centers into {k}")
    return centres.lloyd(stream, k, dict(values), draw, run.log.info).astype(np.float32)


def _mean_squared(rows: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    return float(centres.nearest(rows, found)[1].mean(dtype=np.float64))
