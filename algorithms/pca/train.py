"""Training as the PCA image does it; the model is the arrays `mean`, `v` and `s`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from algorithms.common import ndarray_list, threads
from algorithms.common.channels import Channel
from algorithms.first_party.definition import CSV, RECORDIO, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.pca import directions
from algorithms.pca.hyperparameters import CHECKS, DECLARED

PIPED = (RECORDIO, CSV)
DEFINITION = Definition(
    title="PCA",
    hyperparameters=DECLARED,
    checks=CHECKS,
    hidden={"epochs": 1},
    channels=(Channel("train", required=True, piped=PIPED), Channel("test", piped=PIPED)),
)
SEED = 1
LEAST_EXTRA = 10


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Find the directions, and save them."""
    values, rows = run.values, run.table("train").dense()
    start = time.time()
    batches = [rows[at : at + values["mini_batch_size"]] for at in range(0, len(rows), values["mini_batch_size"])]
    with threads.suited(len(batches[0]) * rows.shape[1] ** 2):
        found = _found(values, batches)
    run.log.seen(len(rows), len(batches), epoch=0)
    run.log.metrics({"epochs": 1, "update.time": 1000 * (time.time() - start)}, since=start)
    run.log.progress(1, 1)
    run.log.throughput(len(rows), start)
    arrays = {"s": found.s, "v": found.v} | ({} if found.mean is None else {"mean": found.mean})
    run.save(MODEL, ndarray_list.write(arrays))
    if (test := run.maybe("test")) is None:
        run.log.info("Test data is not provided.")
        return
    run.log.seen(len(test), 1, meta="test_data_iter")


def _found(values: Mapping[str, Any], batches: Sequence[Any]) -> directions.Components:
    count, centred = values["num_components"], values["subtract_mean"]
    if values["algorithm_mode"] == "regular":
        return directions.exact(batches, count, centred)
    extra = values["extra_components"]
    extra = max(LEAST_EXTRA, count) if extra < 0 else extra
    return directions.randomized(batches, count, extra, centred, np.random.default_rng(SEED))
