"""Training as the DeepAR image does it, with the lines of its log (jobs of 2019 to 2025 in public notebooks)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import pytorch
from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.deepar import artifact, data, epochs, files, scores
from algorithms.deepar.hyperparameters import DECLARED
from algorithms.deepar.windows import Panel, Shape
from algorithms.first_party.definition import Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run

if TYPE_CHECKING:
    from algorithms.deepar.fitting import Learner
    from algorithms.deepar.series import Series

DEFINITION = Definition(
    title="AWS/DeepAR",
    hyperparameters=DECLARED,
    formats=files.FORMATS,
    channels=(Channel("train", required=True), Channel("test")),
    read=files.table,
)
SEED = 1
TOLD = 5
"""Batches between two lines."""


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train, keep the best epoch, save it, forecast the ends of the test series."""
    log = run.log
    if patience := run.values.get("early_stopping_patience"):
        log.info(f"Using early stopping with patience {patience}")
    found = data.read(run, "train")
    shape = data.shape(run, found)
    train = data.fitted("train", found, shape)
    for line in data.statistics("Training", train):
        log.info(line)
    times, chance = epochs.passes(len(train), run.values["mini_batch_size"])
    if (times, chance) != (1, 1.0):
        log.info(f"Small number of time series. Doing {times} passes over dataset with prob {chance} per epoch.")
    test = _test(run, shape)
    pytorch.loaded("DeepAR").set_num_threads(1)  # The products of such networks are small.
    network = _epochs(run, train, shape)
    log.info(f"Worker {run.layout.current_host} finished training.")
    log.info("All workers finished. Serializing model for prediction.")
    log.info(f"Serializing to {run.layout.model / 'model_algo-1'}")
    for name, content in artifact.write(shape, network.state_dict()).items():
        run.save(name, content)
    log.info(f'Saved checkpoint to "{run.layout.model / artifact.PARAMETERS}"')
    log.info("Successfully serialized the model for prediction.")
    if test:
        _evaluate(run, network, test)


def _test(run: Run, shape: Shape) -> list[Series]:
    """The series of the test channel that are long enough to have an end and something before it."""
    if not run.has("test"):
        return []
    found = data.fitted("test", data.read(run, "test"), shape)
    for line in data.statistics("Test", found):
        run.log.info(line)
    last = shape.prediction
    long = [one for one in found if len(one) > last and not np.isnan(one.target[-last:]).all()]
    if not long:
        raise UserError(
            f"No time series of channel 'test' is longer than prediction_length={last}: its last values are forecast "
            "from those before them."
        )
    if len(long) < len(found):
        run.log.info(
            f"{len(found) - len(long)} test series are not longer than prediction_length: left out.", "WARNING"
        )
    return long


def _epochs(run: Run, series: list[Series], shape: Shape) -> Any:
    """The network of the epoch with the lowest loss."""
    import torch

    from algorithms.deepar import fitting
    from algorithms.deepar.network import Network

    values, log, draw = run.values, run.log, np.random.default_rng(SEED)
    torch.manual_seed(SEED)
    panel, learner = Panel(series, shape), fitting.Learner(Network(shape), values["learning_rate"])
    best, at, kept = float("inf"), 0, learner.kept()
    for epoch in range(values["epochs"]):
        batches = epochs.batches(len(panel), values["mini_batch_size"], draw)
        loss = _epoch(run, learner, panel, (epoch, batches, draw))
        if loss < best:
            log.info("best epoch loss so far")
            best, at, kept = loss, epoch, learner.kept()
            continue
        log.info("loss did not improve")
        if 0 < values.get("early_stopping_patience", 0) <= epoch - at:
            log.info("stopping training now")
            log.info(f"#progress_metric: host={run.layout.current_host}, completed 100 % of epochs")
            break
    learner.network.load_state_dict(kept)
    log.info(f"Final loss: {best} (occurred at epoch {at})")
    log.quality("train", "final_loss", best)
    return learner.network


def _epoch(run: Run, learner: Learner, panel: Panel, part: tuple[int, list[Any], np.random.Generator]) -> float:
    """One epoch; the mean of its batches' losses."""
    epoch, batches, draw = part
    log, start = run.log, time.time()
    losses: list[float] = []
    since, told = start, 0
    for loss in learner.losses(panel, batches, draw):
        losses.append(loss)
        if (number := len(losses) - 1) % TOLD:
            continue
        recent = float(np.mean(losses[told:]))
        log.info(f"Epoch[{epoch}] Batch[{number}] avg_epoch_loss={np.mean(losses):.6f}")
        log.quality("train", "loss", recent, epoch=epoch, batch=number)
        if number:
            speed = TOLD * run.values["mini_batch_size"] / max(time.time() - since, 1e-9)
            log.info(f"Epoch[{epoch}] Batch [{number}]#011Speed: {speed:.2f} samples/sec#011loss={recent:.6f}")
            told = len(losses)
        since = time.time()
    windows = sum(len(chosen) for chosen in batches)
    log.info(f"processed a total of {windows} examples")
    log.metrics({"update.time": 1000 * (time.time() - start)}, since=start)
    log.throughput(windows, start)
    log.progress(epoch + 1, run.values["epochs"])
    found = float(np.mean(losses))
    log.quality("train", "loss", found, epoch=epoch)
    return found


def _evaluate(run: Run, network: Any, test: list[Series]) -> None:
    """Forecast the last steps of the test series from those before them."""
    from algorithms.deepar import fitting

    samples, last = run.values["num_eval_samples"], network.shape.prediction
    run.log.info(f"Evaluating model accuracy on testset using {samples} samples")
    start, panel = time.time(), Panel(test, network.shape)
    paths = fitting.forecast(network, panel, panel.lengths - last, samples)
    run.log.metrics({"model.score.time": 1000 * (time.time() - start)}, since=start)
    found = scores.scores(np.stack([one.target[-last:] for one in test]), paths, run.values["test_quantiles"])
    for name, value in found.items():
        run.log.info(f"#test_score ({run.layout.current_host}, {name}): {value}")
    for name in ("RMSE", "mean_wQuantileLoss"):
        run.log.quality("test", name, found[name])
