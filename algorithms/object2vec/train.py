"""Training as the Object2Vec image does it: pairs of sequences, their labels, epochs until they get no better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import pytorch
from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import JSONLINES, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.object2vec import artifact, pairs, pretrained, shape
from algorithms.object2vec.batches import Epochs
from algorithms.object2vec.hyperparameters import CHECKS, DECLARED, HCNN, POOLED, ROW_SPARSE
from algorithms.object2vec.pairs import Pairs
from algorithms.object2vec.shape import Shape

if TYPE_CHECKING:
    from algorithms.object2vec.fitting import Epoch, Measured
    from algorithms.object2vec.network import Network

DEFINITION = Definition(
    title="AWS/Object2Vec",
    hyperparameters=DECLARED,
    checks=CHECKS,
    formats=(JSONLINES,),
    channels=(Channel("train", required=True), Channel("validation"), Channel("test"), Channel("auxiliary")),
    several=False,
)
SEED = 1
LARGE_TABLE, LARGE_ENCODING = 10_000_000, 2048
MOST = 1 << 28
"""Pairs of an epoch, whose numbers are held in memory: 6 GB."""


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, keep the best epoch, save it, evaluate it."""
    pytorch.demand("Object2Vec")
    found = shape.of(run.values, lambda text: run.log.info(text, "WARNING"))
    train, held, test = (pairs.read(run, name, found) for name in ("train", "validation", "test"))
    assert train is not None
    source = _source(run, train)
    known = pretrained.tables(run, found)
    with pytorch.room():
        network = _begun(found, known)
        _advise(run, network)
        best = _epochs(run, network, (source, train, held))
    run.log.info(f"Best model is that of epoch {best.number}. Best loss: {best.watched}")
    told = {one.name: run.values[one.name] for one in DECLARED if one.name in run.values}
    run.save(MODEL, artifact.write(network, told))
    if test is None:
        run.log.info("Test data is not provided.")
        return
    from algorithms.object2vec import fitting

    for name, value, kind in _named(fitting.evaluate(network, test)):
        run.log.score("test", name, value)
        run.log.quality("test", name, value, kind)


def _source(run: Run, train: Pairs) -> Epochs:
    """What each epoch takes; UserError when there is nothing to draw negatives from."""
    rate = run.values["negative_sampling_rate"]
    if (count := len(train) * (1 + rate)) > MOST:
        raise UserError(
            f"negative_sampling_rate {rate} makes {count} pairs an epoch of the {len(train)} of channel 'train'. The "
            f"most are {MOST}: lower negative_sampling_rate."
        )
    source = Epochs(train, rate, np.random.default_rng(SEED))
    if not rate:
        return source
    if not source.has_others:
        raise UserError(
            "negative_sampling_rate pairs each in0 with the in1 of another record, but all records of channel 'train' "
            "have the same in1. Set negative_sampling_rate to 0, or give records that differ."
        )
    if zeros := int((train.labels == 0).sum()):
        run.log.info(
            f"{zeros} of the {len(train)} records of channel 'train' have the label 0. With negative_sampling_rate "
            "they are expected to be positive; those with label 0 are trained as they are.",
            "WARNING",
        )
    return source


def _begun(found: Shape, known: Mapping[int, Any]) -> Network:
    """The network before the first epoch, with the embeddings that are known of its tables."""
    torch = pytorch.loaded("Object2Vec")
    from algorithms.object2vec.network import Network

    torch.manual_seed(SEED)
    network = Network(found)
    for number, (tokens, rows) in known.items():
        with torch.no_grad():
            network.tables[number][torch.from_numpy(tokens)] = torch.from_numpy(rows)
    for number, table in enumerate(network.tables):
        frozen = any(one.frozen for one in found.encoders) if found.tied else found.encoders[number].frozen
        table.requires_grad_(not frozen)
    return network


def _advise(run: Run, network: Network) -> None:
    """Defaults are Amazon's, which are made for GPUs: the log says what makes them bearable without one."""
    values, found = run.values, network.shape
    pytorch.suit_threads(values["mini_batch_size"] * network.multiplications)
    run.log.info(f"The network has {network.size} parameters.")
    tables = sum(table.numel() for table in network.tables if table.requires_grad)
    if tables > LARGE_TABLE and values["token_embedding_storage_type"] != ROW_SPARSE:
        run.log.info(
            f"{tables} numbers of token embeddings are moved in each batch. token_embedding_storage_type 'row_sparse' "
            "moves those of the batch's tokens alone.",
            "WARNING",
        )
    if found.enc_dim >= LARGE_ENCODING and any(one.network != POOLED for one in found.encoders):
        run.log.info(
            f"enc_dim {found.enc_dim} is made for a GPU, and this host uses none: the time of an epoch grows with its "
            f"square with {HCNN} and bilstm. A smaller enc_dim trains here.",
            "WARNING",
        )
    if values["bucket_width"] and found.sparse:
        run.log.info("bucket_width is set to 0: token_embedding_storage_type is row_sparse.", "WARNING")


def _epochs(run: Run, network: Network, data: tuple[Epochs, Pairs, Pairs | None]) -> Epoch:
    """Train until there is no more patience; the network is that of the best epoch then."""
    from algorithms.object2vec import fitting
    from algorithms.object2vec.optimizers import Optimizer

    values = run.values
    optimizer = Optimizer(network, values["optimizer"], values["learning_rate"], values["weight_decay"])
    width = 0 if network.shape.sparse else values["bucket_width"]
    plan = fitting.Plan(values["epochs"], values["mini_batch_size"], width)
    patience = fitting.Patience(values["early_stopping_patience"], values["early_stopping_tolerance"])
    best, kept = None, _copied(network)
    for epoch in fitting.train(network, optimizer, data, plan, np.random.default_rng(SEED)):
        _tell(run, epoch)
        if best is None or epoch.watched < best.watched:
            best, kept = epoch, _copied(network)
        patience.take(epoch.watched)
        if patience.is_over and epoch.number < plan.epochs:
            run.log.info(
                f"Early stopping in epoch {epoch.number}: the loss has not fallen by {patience.tolerance} for "
                f"{patience.bad} epochs."
            )
            break
    assert best is not None
    network.load_state_dict(kept, strict=False)
    return best


def _copied(network: Network) -> dict[str, Any]:
    """What is learned, as it is now."""
    return {name: one.detach().clone() for name, one in network.named_parameters() if one.requires_grad}


def _tell(run: Run, epoch: Epoch) -> None:
    log, at = run.log, epoch.number
    for split, measured in (("train", epoch.train), ("validation", epoch.validation)):
        for name, value, kind in _named(measured) if measured is not None else ():
            log.quality(split, name, value, kind, epoch=at)
    log.progress(at, run.values["epochs"])
    log.seen(epoch.pairs, epoch.batches, epoch=at - 1)
    log.throughput(epoch.pairs, epoch.began)


def _named(measured: Measured) -> list[tuple[str, float, str]]:
    """Names, values and kinds of the lines of metrics."""
    if measured.accuracy is None:
        return [("mean_squared_error", measured.loss, "loss")]
    return [("cross_entropy", measured.loss, "loss"), ("accuracy", measured.accuracy, "score")]
