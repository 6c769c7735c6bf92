"""Training as the LDA image does it: once over all documents, on one host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import RECORDIO, Definition
from algorithms.first_party.documents import documents
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.lda import artifact, topics
from algorithms.lda.decomposition import Patience
from algorithms.lda.hyperparameters import DECLARED
from algorithms.lda.inference import Inference

DEFINITION = Definition(
    title="AWS/LDA",
    hyperparameters=DECLARED,
    channels=(Channel("train", required=True, piped=(RECORDIO,)), Channel("test", piped=(RECORDIO,))),
    several=False,
)
SEED = 1


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Learn, save, evaluate."""
    values, rows = run.values, documents("train", run.table("train"))
    count = rows.shape[0]
    if values["mini_batch_size"] != count:
        run.log.info(
            f"mini_batch_size is {values['mini_batch_size']}, but there are {count} documents: all are used.", "WARNING"
        )
    start = time.time()
    found = _learn(run, rows, values)
    run.log.seen(count, 1, epoch=0)
    run.log.metrics({"epochs": 1, "update.time": 1000 * (time.time() - start)}, since=start)
    run.log.progress(1, 1)
    run.log.throughput(count, start)
    run.save(MODEL, artifact.write(found))
    if (test := run.maybe("test")) is None:
        run.log.info("Test data is not provided.")
        return
    value = Inference(found).per_word(documents("test", test))
    run.log.seen(len(test), 1, meta="test_data_iter")
    run.log.score("test", "pwll", value)
    run.log.quality("test", "pwll", value, "score")


def _learn(run: Run, rows: Any, values: Mapping[str, Any]) -> topics.Topics:
    patience = Patience(values["max_restarts"], values["max_iterations"], values["tol"])
    wanted = topics.Wanted(values["num_topics"], values["alpha0"], patience)
    try:
        return topics.learn(rows, wanted, np.random.default_rng(SEED), run.log.info)
    except topics.TooFewDirections as error:
        raise UserError(
            f"Channel 'train' has too little in it for num_topics {values['num_topics']}: {error}. "
            "Ask for fewer topics, or train with more and longer documents."
        ) from error
