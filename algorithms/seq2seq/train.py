"""Training as the Seq2Seq image does it: from checkpoint to checkpoint, of which the best one is the model."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from algorithms.common import pytorch
from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import RECORDIO, Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.seq2seq import artifact, sequences, vocabulary
from algorithms.seq2seq.hyperparameters import BLEU, CHECKS, DECLARED, RNN
from algorithms.seq2seq.sequences import Pairs

if TYPE_CHECKING:
    from algorithms.seq2seq.beam import Limits
    from algorithms.seq2seq.fitting import Checkpoint, Sample
    from algorithms.seq2seq.network import Network

DEFINITION = Definition(
    title="AWS/Seq2Seq",
    hyperparameters=DECLARED,
    checks=CHECKS,
    formats=(RECORDIO,),
    channels=(
        Channel("train", required=True),
        Channel("validation", required=True),
        Channel("vocab", required=True),
    ),
    several=False,
)
SEED = 1
WORTH_THREADS = 1 << 25
"""Multiplications of a step of the decoder from which on several threads are worth it."""
LARGE = 1_000_000
"""Multiplications of a word from which on the log says that this takes a GPU."""


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Train; whenever a checkpoint is the best so far, it is the model."""
    values = run.values
    words = vocabulary.both(run.layout.channel("vocab"))
    sizes = len(words[0]), len(words[1])
    train, held = (sequences.read(run, name, sizes) for name in ("train", "validation"))
    torch = pytorch.loaded("Seq2Seq")  # Here, for it takes a second: what is wrong with the data is said at once.
    from algorithms.seq2seq import fitting, network

    config = artifact.config(values, float(train.ratios.max()))
    limits = artifact.limits(config, words[1])
    torch.manual_seed(SEED)
    made = network.begun(values, sizes)
    _advise(run, made, (train, held))
    evaluate = partial(fitting.evaluate, made, held, limits, _sample(run, held, limits), values["batch_size"])
    best = None
    for found in fitting.checkpoints(made, values, train, limits, evaluate):
        _tell(run, found)
        if found.bad == 0:
            best = found
            artifact.write(run.layout.model, made, config, words)
            run.log.info(f"Saved the parameters of checkpoint {found.number} to {artifact.PARAMETERS}")
    assert best is not None
    metric = values["optimized_metric"]
    value = abs(best.validation.of(metric))
    run.log.info(f"Training finished. Best checkpoint: {best.number}. Best validation {metric}: {value:.6f}")
    _final(run, best)


def _advise(run: Run, made: Network, pairs: tuple[Pairs, Pairs]) -> None:
    """Defaults are Amazon's, which are made for GPUs: the log says what makes them bearable without one."""
    values, size = run.values, made.multiplications
    pytorch.suit_threads(values["batch_size"] * size, WORTH_THREADS)
    run.log.info(f"{len(pairs[0])} pairs to train on, {len(pairs[1])} to validate with.")
    run.log.info(f"The network has {sum(one.numel() for one in made.parameters())} parameters.")
    if size > LARGE:
        names = {f"{values[f'{side}_type']}_num_hidden" for side in ("encoder", "decoder")}
        shown = ", ".join(f"{name} {values[name]}" for name in sorted(names))
        run.log.info(
            f"{shown}: such a network is made for a GPU, and this host uses none. A smaller one trains here.", "WARNING"
        )
    if values.get("momentum") is not None and values["optimizer_type"] != "sgd":
        run.log.info(f"momentum is of sgd: with {values['optimizer_type']} it has no effect.", "WARNING")
    if values["rnn_residual_connections"] and RNN in (values["encoder_type"], values["decoder_type"]):
        most = max(values["num_layers_encoder"], values["num_layers_decoder"])
        if most < values["rnn_first_residual_layer"]:
            run.log.info("rnn_residual_connections has no effect: there are too few layers.", "WARNING")


def _sample(run: Run, held: Pairs, limits: Limits) -> Sample | None:
    """The pairs that BLEU is computed of; None when nobody asks for it."""
    from algorithms.seq2seq.fitting import Sample

    count = run.values["bleu_sample_size"]
    if count == 0 and run.values["optimized_metric"] != BLEU:
        return None
    if count == 0:
        run.log.info("bleu_sample_size is 0, but the optimized_metric is bleu: the whole channel is taken.", "WARNING")
    if 0 < count < len(held):
        held = held.chosen(np.sort(np.random.default_rng(SEED).permutation(len(held))[:count]).tolist())
    return Sample(held, limits, run.values["beam_size"])


def _tell(run: Run, found: Checkpoint) -> None:
    log, values = run.log, run.values
    if not math.isfinite(found.train.loss) or not math.isfinite(found.validation.loss):
        raise UserError(
            f"The training has diverged before checkpoint {found.number}: its loss is no finite number. Lower "
            "learning_rate, or set clip_gradient to a small positive number."
        )
    name = values["training_metric"]
    head = f"Checkpoint [{found.number}]\t"
    log.info(f"{head}Updates={found.updates} Epoch={found.epoch} Learning-rate={found.rate:g}")
    log.info(f"{head}Train-{name}={getattr(found.train, name):f}")
    log.quality("train", name, getattr(found.train, name), _kind(name), epoch=found.epoch)
    for name, value in _shown(found):
        log.info(f"{head}Validation-{name}={value:f}")
        log.quality("validation", name, value, _kind(name), epoch=found.epoch)
    if found.bad:
        log.info(f"{head}{values['optimized_metric']} has not improved for {found.bad} checkpoints")
    if found.lowered:
        log.info(f"{head}Learning rate is multiplied by {values['plateau_reduce_lr_factor']:g}")
    if epochs := values.get("max_num_epochs"):
        log.progress(found.epoch, epochs)
    log.seen(*found.since, epoch=found.epoch - 1)
    log.throughput(found.since[0], found.began)


def _shown(found: Checkpoint) -> list[tuple[str, float]]:
    measured = found.validation
    both = [("perplexity", measured.perplexity), ("accuracy", measured.accuracy)]
    return both if measured.bleu is None else [*both, (BLEU, measured.bleu)]


def _kind(metric: str) -> str:
    return "loss" if metric == "perplexity" else "score"


def _final(run: Run, best: Checkpoint) -> None:
    """The model's own metrics once more: what the service takes for a job's is what was said last."""
    for name, value in _shown(best):
        run.log.quality("validation", name, value, _kind(name), epoch=best.epoch)
