"""Training as the IP Insights image does it: seen pairs against drawn and shuffled addresses."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.adam import Adam
from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import CSV, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.ipinsights import artifact, pairs
from algorithms.ipinsights.encoders import Encoders, auc
from algorithms.ipinsights.hyperparameters import CHECKS, DECLARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DEFINITION = Definition(
    title="AWS/IPInsights",
    hyperparameters=DECLARED,
    checks=CHECKS,
    formats=(CSV,),
    channels=(Channel("train", required=True), Channel("validation")),
    read=pairs.table,
)
SEED = 1
Labelled = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float32]"]
"""Buckets, addresses, and 1 where they were seen together."""


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, evaluate after every epoch, save."""
    values, draw = run.values, np.random.default_rng(SEED)
    train, validation = run.table("train").features, run.maybe("validation")
    held = _beside_drawn(validation.features, 1, draw) if validation is not None else None
    found, adam = Encoders.begin(values, draw), Adam()
    size = values["mini_batch_size"]
    for epoch in range(values["epochs"]):
        start, told = time.time(), np.zeros(3)
        order = draw.permutation(len(train))
        for batch, at in enumerate(range(0, len(train), size)):
            chosen = _with_negatives(train[order[at : at + size]], values, draw)
            told += _measured(found.learn(adam, chosen, values), chosen[2])
            if batch % values["batch_metrics_publish_interval"] == 0:
                _tell(partial(run.log.quality, "train", epoch=epoch, batch=batch), told)
        _tell(partial(run.log.quality, "train", epoch=epoch), told)
        run.log.metrics({"update.time": 1000 * (time.time() - start)}, since=start, epoch=epoch)
        run.log.seen(len(train), -(-len(train) // size), epoch=epoch)
        run.log.progress(epoch + 1, values["epochs"])
        run.log.throughput(len(train), start)
        if held is not None:
            area = auc(found.scores(held[0], held[1]), held[2])
            run.log.quality("validation", "discriminator_auc", area, "score", epoch=epoch)
    run.save(MODEL, artifact.write(found, values))


def _measured(scores: NDArray[Any], seen: NDArray[Any]) -> NDArray[np.float64]:
    """Sums over a batch: of the losses, of the right guesses, of the pairs."""
    losses = np.logaddexp(0, scores) - seen * scores
    if not np.isfinite(losses).all():
        raise UserError("The training has diverged: scores are no finite numbers any more. Lower learning_rate.")
    return np.array([losses.sum(dtype=np.float64), ((scores > 0) == (seen > 0)).sum(), len(seen)])


def _tell(line: Callable[..., None], told: NDArray[np.float64]) -> None:
    """The means of the epoch so far."""
    line("binary_classification_cross_entropy", float(told[0] / told[2]))
    line("binary_classification_accuracy", float(told[1] / told[2]), "score")


def _with_negatives(seen: NDArray[np.int64], values: Any, draw: np.random.Generator) -> Labelled:
    """The pairs, and beside each the same entity with drawn addresses and with those of others."""
    buckets, addresses, labels = _beside_drawn(seen, values["random_negative_sampling_rate"], draw)
    times = values["shuffled_negative_sampling_rate"]
    others = [draw.permutation(seen[:, 1]) for _ in range(times)]
    return (
        np.concatenate([buckets, *[seen[:, 0]] * times]),
        np.concatenate([addresses, *others]),
        np.concatenate([labels, np.zeros(times * len(seen), np.float32)]),
    )


def _beside_drawn(seen: NDArray[np.int64], times: int, draw: np.random.Generator) -> Labelled:
    """The pairs, and beside each the same entity with `times` addresses drawn from all that there are."""
    drawn = draw.integers(0, 1 << 32, times * len(seen))
    labels = np.zeros(len(seen) * (1 + times), np.float32)
    labels[: len(seen)] = 1
    return np.tile(seen[:, 0], 1 + times), np.concatenate([seen[:, 1], drawn]), labels
