"""Training as the NTM image does it, with the lines that its log was seen to have (apache/mxnet issue 16230)."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import CSV, RECORDIO, Definition
from algorithms.first_party.documents import documents
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.ntm import artifact, fitting, words
from algorithms.ntm.fitting import Epoch, Measured, Patience, Plan
from algorithms.ntm.hyperparameters import DECLARED
from algorithms.ntm.network import PROJECTION, Network, Shape, copied
from algorithms.ntm.optimizers import Optimizer

PIPED = (RECORDIO, CSV)
WHOLE = ("FullyReplicated",)
DEFINITION = Definition(
    title="AWS/NTM",
    hyperparameters=DECLARED,
    channels=(
        Channel("train", required=True, piped=PIPED),
        Channel("validation", piped=PIPED, distributions=WHOLE),
        Channel("test", piped=PIPED, distributions=WHOLE),
        Channel("auxiliary", distributions=WHOLE),
    ),
)
SEED = 1
AUTO_LAYERS = (3, 2)
NO_EMBEDDINGS = (
    "WETC needs the word embedding Glove-6B-400K-50d, which is no part of this container: put its file "
    "glove.6B.50d.txt into the auxiliary channel, beside vocab.txt. Until then it is shown as nan."
)


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, keep the best epoch, show its topics, save it, evaluate it."""
    values, rows = run.values, documents("train", run.table("train"))
    if not rows.nnz:
        raise UserError("No document of channel 'train' has a word: all counts are zero.")
    held = run.maybe("validation")
    vocabulary = _vocabulary(run)
    network = Network.begin(_shape(values), np.random.default_rng(SEED))
    best = _epochs(run, network, (rows, None if held is None else documents("validation", held)))
    run.log.info("wait_for_all_workers will not sync workers since the kv store is not running distributed", "WARNING")
    run.log.info(f"Best model based on early stopping at epoch {best.number}. Best loss: {best.watched}")
    _show_topics(run, network, vocabulary)
    content = artifact.write(network, {one.name: values[one.name] for one in DECLARED})
    for number in range(len(run.layout.hosts)):
        run.save(f"model_algo-{number + 1}", content)
    if (test := run.maybe("test")) is None:
        run.log.info("Test data is not provided.")
        return
    measured = fitting.evaluate(network, documents("test", test), values["mini_batch_size"])
    run.log.seen(len(test), -(-len(test) // values["mini_batch_size"]), meta="test_data_iter")
    _losses(run, "Inference", measured)
    run.log.score("test", "total_loss", measured.total)
    run.log.quality("test", "total_loss", measured.total)


def _shape(values: Any) -> Shape:
    layers = values["encoder_layers"]
    if layers == "auto":
        layers = tuple(times * values["num_topics"] for times in AUTO_LAYERS)
    activation, norm = values["encoder_layers_activation"], values["batch_norm"]
    return Shape(values["feature_dim"], tuple(layers), values["num_topics"], activation, norm)


def _epochs(run: Run, network: Network, data: tuple[Any, Any | None]) -> Epoch:
    """Train until there is no more patience; the network is that of the best epoch then."""
    values = run.values
    optimizer = Optimizer(
        values["optimizer"], values["learning_rate"], values["rescale_gradient"], values["clip_gradient"],
        values["weight_decay"],
    )  # fmt: skip
    plan = Plan(values["epochs"], values["mini_batch_size"], values["sub_sample"])
    patience = Patience(values["num_patience_epochs"], values["tolerance"])
    best, kept = None, (network.parameters, network.moving)
    run.log.info("# Starting training for epoch 1")
    start = time.time()
    for epoch in fitting.train(network, optimizer, data, plan, np.random.default_rng(SEED)):
        if not math.isfinite(epoch.watched):
            raise UserError(
                f"The training has diverged in epoch {epoch.number}: its loss is no finite number. "
                "Lower learning_rate or rescale_gradient, or set clip_gradient."
            )
        if best is None or epoch.watched < best.watched:
            best, kept = epoch, (copied(network.parameters), copied(network.moving))
        _tell(run, epoch, patience, start)
        if patience.is_over:
            run.log.info("Bad epochs exceeded patience. Stopping training early!")
            break
        if epoch.number < plan.epochs:
            run.log.info(f"# Starting training for epoch {epoch.number + 1}")
        start = time.time()
    assert best is not None
    network.parameters, network.moving = kept
    return best


def _tell(run: Run, epoch: Epoch, patience: Patience, start: float) -> None:
    log, at = run.log, epoch.number
    log.info(
        f"# Finished training epoch {at} on {epoch.documents} examples from {epoch.batches} batches, "
        f"each of size {run.values['mini_batch_size']}."
    )
    _losses(run, "Training", epoch.train)
    log.quality("train", "total_loss", epoch.train.total, epoch=at)
    if epoch.validation is not None:
        _losses(run, "Inference", epoch.validation)
        log.quality("validation", "total_loss", epoch.validation.total, epoch=at)
    least = patience.least
    log.info(
        f"patience losses:{patience.window} min patience loss:{least} current loss:{epoch.watched} "
        f"absolute loss difference:{abs(least - epoch.watched)}"
    )
    patience.take(epoch.watched)
    if patience.bad:
        log.info(f"Bad epoch: loss has not improved (enough). Bad count:{patience.bad}")
    train, validation = epoch.seconds
    log.info(f"Timing: train: {train:.2f}s, val: {validation:.2f}s, epoch: {train + validation:.2f}s")
    log.progress(at, run.values["epochs"])
    log.seen(epoch.documents, epoch.batches, epoch=at - 1)
    log.throughput(epoch.documents, start)


def _losses(run: Run, of: str, measured: Measured) -> None:
    run.log.info(f"Metrics for {of}:")
    shown = {"total": measured.total, "kld": measured.kld, "recons": measured.recons, "logppx": measured.total}
    for name, value in shown.items():
        run.log.info(f"Loss (name: value) {name}: {value}")


def _auxiliary(run: Run) -> Path | None:
    return run.layout.channel("auxiliary") if run.has("auxiliary") else None


def _vocabulary(run: Run) -> list[str] | None:
    folder = _auxiliary(run)
    return None if folder is None else words.vocabulary(folder, run.values["feature_dim"])


def _show_topics(run: Run, network: Network, vocabulary: list[str] | None) -> None:
    """With the vocabulary their words and both measures, without it their numbers and the first alone."""
    top = words.strongest(network.parameters[PROJECTION])
    unique = words.uniqueness(top)
    scores = [f"{value:.2f}" for value in unique]
    whole = f"tu {unique.mean():.2f}"
    if vocabulary is not None:
        coherent = _coherence(run, top, vocabulary)
        scores = [f"{value:.2f}, {score}" for value, score in zip(coherent, scores, strict=True)]
        whole = f"wetc {coherent.mean():.2f}, {whole}"
    run.log.info(f"Topics from epoch:final (num_topics:{len(top)}) [{whole}]:")
    for score, topic in zip(scores, top, strict=True):
        named = (str(number) if vocabulary is None else vocabulary[number] for number in topic)
        run.log.info(f"[{score}] {' '.join(named)}")


def _coherence(run: Run, top: Any, vocabulary: list[str]) -> Any:
    folder = _auxiliary(run)
    found = words.embeddings(folder, vocabulary) if folder is not None else None
    if found is None:
        run.log.info(NO_EMBEDDINGS, "WARNING")
        return np.full(len(top), np.nan)
    vectors, unknown = found
    if unknown:
        run.log.info(
            f"{unknown} out of {len(vocabulary)} in vocabulary do not have embeddings! "
            "Default vector used for unknown embedding!",
            "WARNING",
        )
    return words.coherence(top, vectors)
