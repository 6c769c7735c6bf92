"""Training as the IP Insights image does it: seen pairs against drawn and shuffled addresses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.channels import Channel, data_files
from algorithms.common.faults import UserError
from algorithms.first_party import data, wording
from algorithms.first_party.definition import CSV, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.ipinsights import artifact, pairs
from algorithms.ipinsights.encoders import Adam, Encoders, auc
from algorithms.ipinsights.hyperparameters import CHECKS, DECLARED

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFINITION = Definition(
    title="AWS/IPInsights",
    hyperparameters=DECLARED,
    checks=CHECKS,
    formats=(CSV,),
    channels=(Channel("train", required=True), Channel("validation")),
    several=False,
)
SEED = 1


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, evaluate after every epoch, save."""
    values, draw = run.values, np.random.default_rng(SEED)
    train = _pairs(run, "train")
    held = _against_drawn(_pairs(run, "validation"), 1, draw) if run.has("validation") else None
    found = Encoders.begin(values, draw)
    adam = Adam(found, values["learning_rate"], values["weight_decay"])
    for epoch in range(values["epochs"]):
        start = time.time()
        losses, rights, batches = _epoch(run, adam, train, draw, epoch)
        run.log.quality("train", "binary_classification_cross_entropy", losses, epoch=epoch)
        run.log.quality("train", "binary_classification_accuracy", rights, "score", epoch=epoch)
        run.log.seen(len(train[0]), batches, epoch=epoch)
        run.log.progress(epoch + 1, values["epochs"])
        run.log.throughput(len(train[0]), start)
        if held is not None:
            score = auc(found.scores(held[0], held[1]), held[2])
            run.log.quality("validation", "discriminator_auc", score, "score", epoch=epoch)
    run.save(MODEL, artifact.write(found))


def _epoch(run: Run, adam: Adam, train: pairs.Pairs, draw: np.random.Generator, epoch: int) -> tuple[float, float, int]:
    """Mean loss, share of right guesses, number of batches."""
    size, interval = run.values["mini_batch_size"], run.values["batch_metrics_publish_interval"]
    order, told = draw.permutation(len(train[0])), []
    for batch, at in enumerate(range(0, len(order), size)):
        chosen = order[at : at + size]
        buckets, addresses, seen = _batch(run.values, (train[0][chosen], train[1][chosen]), draw)
        scores, gradients = adam.encoders.gradients(buckets, addresses, seen)
        adam.step(gradients)
        loss = float((np.logaddexp(0, scores) - seen * scores).mean())
        right = float(((scores > 0) == (seen > 0)).mean())
        if not np.isfinite(loss):
            raise UserError("The training has diverged: scores are no finite numbers any more. Lower learning_rate.")
        told.append((loss, right))
        if batch % interval == 0:
            run.log.quality("train", "binary_classification_cross_entropy", loss, epoch=epoch, batch=batch)
            run.log.quality("train", "binary_classification_accuracy", right, "score", epoch=epoch, batch=batch)
    loss, right = np.mean(told, axis=0)
    return float(loss), float(right), len(told)


def _batch(values: Any, seen: pairs.Pairs, draw: np.random.Generator) -> tuple[Any, Any, NDArray[np.float32]]:
    """The pairs, and beside each the same entity with other addresses: buckets, addresses, whether they were seen."""
    buckets, addresses, labels = _against_drawn(seen, values["random_negative_sampling_rate"], draw)
    times = values["shuffled_negative_sampling_rate"]
    others = [draw.permutation(seen[1]) for _ in range(times)]
    return (
        np.concatenate([buckets, *[seen[0]] * times]),
        np.concatenate([addresses, *others]),
        np.concatenate([labels, np.zeros(times * len(seen[0]), np.float32)]),
    )


def _against_drawn(seen: pairs.Pairs, times: int, draw: np.random.Generator) -> tuple[Any, Any, NDArray[np.float32]]:
    """The pairs, and each entity with `times` addresses drawn from all that there are."""
    drawn = draw.integers(0, 1 << 32, times * len(seen[0]), dtype=np.uint32)
    labels = np.zeros(len(seen[0]) * (1 + times), np.float32)
    labels[: len(seen[0])] = 1
    return np.concatenate([seen[0]] * (1 + times)), np.concatenate([seen[1], drawn]), labels


def _pairs(run: Run, channel: str) -> pairs.Pairs:
    data.kind_of(channel, dict(run.layout.channels[channel]), DEFINITION.formats)
    folder = run.layout.channel(channel)
    files = data_files(folder) if folder.exists() else []
    found = pairs.read(files, run.values["num_entity_vectors"], channel)
    if not len(found[0]):
        raise UserError(wording.empty_channel(channel))
    return found
