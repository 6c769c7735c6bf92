"""Training as the Random Cut Forest image does it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party import wording
from algorithms.first_party.data import Table
from algorithms.first_party.definition import CSV, RECORDIO, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.first_party.serve import MODEL
from algorithms.random_cut_forest import artifact, sample
from algorithms.random_cut_forest.forest import Forest, grow
from algorithms.random_cut_forest.hyperparameters import ACCURACY, DECLARED, PRECISION_RECALL
from algorithms.random_cut_forest.scores import Scorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIPED = (RECORDIO, CSV)
DEFINITION = Definition(
    title="RandomCutForest",
    hyperparameters=DECLARED,
    hidden={"epochs": 1, "force_dense": "true"},
    channels=(
        Channel("train", required=True, piped=PIPED, distributions=("ShardedByS3Key",)),
        Channel("test", piped=PIPED, distributions=("FullyReplicated",)),
    ),
)
SEED = 1
DEVIATIONS = 3
"""Scores that lie so many standard deviations above the mean are those of anomalies (random-cut-forest-tuning.html)."""


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Sample, grow, save, evaluate."""
    train, test = run.table("train"), _test_table(run)
    draw = np.random.default_rng(SEED)
    samples = _samples(run, train, draw)
    run.log.info("Master node: building Random Cut Forest...")
    run.log.info("Gathering samples...")
    run.log.info(f"{min(len(train), run.values['num_trees'] * run.values['num_samples_per_tree'])} samples gathered")
    run.log.info("Building Random Cut Forest...")
    start = time.time()
    forest = grow(samples, draw)
    grown = time.time()
    run.log.info(f"Random Cut Forest built: \n\nForestInfo{{{_told(forest)}}}")
    run.log.info("Master node: Serializing the RandomCutForest model")
    content = artifact.write(forest)
    run.log.metrics({"fit_model.time": 1000 * (grown - start), "model.bytes": len(content)}, since=start)
    run.save(MODEL, content)
    run.log.metrics({"serialize_model.time": 1000 * (time.time() - grown)}, since=grown)
    if test is None:
        run.log.info("Test data is not provided.")
        return
    _evaluate(run, Scorer(forest), test)


def _samples(run: Run, train: Table, draw: np.random.Generator) -> NDArray[np.float32]:
    """The records of each tree (trees, points, features)."""
    trees = run.values["num_trees"]
    if len(train) < trees:
        raise UserError(
            f"Channel 'train' has {len(train)} records, fewer than the {trees} trees that num_trees asks for, each of "
            "which is grown of records of its own."
        )
    start = time.time()
    run.log.info("Sampling training data...")
    chosen = sample.parts(len(train), trees, run.values["num_samples_per_tree"], draw)
    rows = train.features[chosen.ravel()]
    dense = rows.toarray() if train.is_sparse else rows
    run.log.info("Sampling training data completed.")
    run.log.metrics({"epochs": 1, "update.time": 1000 * (time.time() - start)}, since=start)
    run.log.info(f"#progress_metric: host={run.layout.current_host}, completed 100 % epochs")
    run.log.seen(len(train), -(-len(train) // run.values["mini_batch_size"]), epoch=0)
    run.log.throughput(len(train), start)
    return np.asarray(dense, np.float32).reshape(*chosen.shape, train.width)


def _told(forest: Forest) -> str:
    """What the image's log tells of a forest; the size in memory is that of our arrays."""
    nodes, depths = forest.sizes, forest.depths
    told = {
        "num_trees": forest.trees,
        "num_samples_in_forest": forest.trees * forest.samples,
        "num_samples_per_tree": forest.samples,
        "sample_dim": forest.features,
        "shingle_size": 1,
        "trees_num_nodes": f"[{''.join(f'{number}, ' for number in nodes)}]",
        "trees_depth": f"[{''.join(f'{number}, ' for number in depths)}]",
        "max_num_nodes": nodes.max(),
        "min_num_nodes": nodes.min(),
        "avg_num_nodes": int(nodes.mean()),
        "max_tree_depth": depths.max(),
        "min_tree_depth": depths.min(),
        "avg_tree_depth": int(depths.mean()),
        "mem_size": sum(getattr(forest, name).nbytes for name in artifact.KINDS),
    }
    return ", ".join(f"{name}: {value}" for name, value in told.items())


def _test_table(run: Run) -> Table | None:
    """The test channel, whose labels are 1 for an anomaly and 0 for all else."""
    test = run.maybe("test", labelled=True)
    if test is not None and test.labels is not None:
        wrong = test.labels[(test.labels != 0) & (test.labels != 1)]
        if len(wrong):
            raise UserError(wording.label_out_of_range("test", float(wrong[0]), "1 for an anomaly and 0 for all else"))
    return test


def _evaluate(run: Run, scorer: Scorer, test: Table) -> None:
    scores = np.concatenate([scorer.scores(batch.dense()) for batch in test.batches(run.values["mini_batch_size"])])
    run.log.seen(len(test), -(-len(test) // run.values["mini_batch_size"]), meta="test_data_iter")
    measured = measures(scores.astype(np.float64), test.labels == 1)
    asked = run.values["eval_metrics"]
    for name, value in measured.items():
        if (ACCURACY if name == ACCURACY else PRECISION_RECALL) in asked:
            run.log.score("test", name, value)
            run.log.quality("test", name, value, "score")


def measures(scores: NDArray[np.float64], is_anomaly: NDArray[np.bool_]) -> Mapping[str, float]:
    """How well scores beyond three standard deviations from their mean tell anomalies; 0 for 0 of 0."""
    found = scores > scores.mean() + DEVIATIONS * scores.std()
    right = float((found & is_anomaly).sum())
    told: dict[str, Any] = {"accuracy": float((found == is_anomaly).mean())}
    told["precision"] = right / found.sum() if found.any() else 0.0
    told["recall"] = right / is_anomaly.sum() if is_anomaly.any() else 0.0
    told["f1"] = 2 * right / (found.sum() + is_anomaly.sum()) if right else 0.0
    return {name: float(value) for name, value in told.items()}
