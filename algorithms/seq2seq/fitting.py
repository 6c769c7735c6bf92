"""Training from checkpoint to checkpoint, each with what the network is worth then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from algorithms.seq2seq import bleu
from algorithms.seq2seq.beam import Limits, search
from algorithms.seq2seq.hyperparameters import ACCURACY, BLEU, PERPLEXITY
from algorithms.seq2seq.network import Network
from algorithms.seq2seq.schedules import Schedule
from algorithms.seq2seq.sequences import Buckets, Pairs, filled

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Measured:
    """Sums over the words of targets, their ends included."""

    loss: float = 0.0
    right: int = 0
    words: int = 0
    bleu: float | None = None

    @property
    def perplexity(self) -> float:
        mean = self.loss / max(self.words, 1)
        return math.exp(mean) if mean < 700 else float("inf")

    @property
    def accuracy(self) -> float:
        return self.right / max(self.words, 1)

    def of(self, metric: str) -> float:
        """A metric by name, the higher the better: perplexity is negative here."""
        return {PERPLEXITY: -self.perplexity, ACCURACY: self.accuracy, BLEU: self.bleu or 0.0}[metric]


@dataclass(frozen=True)
class Checkpoint:
    """What was learned since the last one, and what the network is worth; `number` and `epoch` count from 1."""

    number: int
    epoch: int
    updates: int
    """Batches so far."""
    since: tuple[int, int]
    """Pairs and batches since the last one."""
    train: Measured
    validation: Measured
    rate: float
    began: float
    bad: int
    """Checkpoints since the best one: 0 when it is the best so far."""
    lowered: bool
    """Whether the learning rate falls now."""


@dataclass(frozen=True)
class Sample:
    """The pairs that are translated for BLEU, and how."""

    pairs: Pairs
    limits: Limits
    beam: int


def checkpoints(
    network: Network, values: Mapping[str, Any], train: Pairs, limits: Limits, evaluate: Callable[[], Measured]
) -> Iterator[Checkpoint]:
    """One after another, until there is no reason to go on. Whoever takes them keeps the best network."""
    optimizer, schedule = _optimizer(network, values), Schedule.of(values)
    best, bad, number, since = float("-inf"), 0, 0, _Since()
    for epoch, batch, rows, last in _batches(values, train):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(batch)
        _learn(network, optimizer, _tensors(train.chosen(rows), limits), values["clip_gradient"], since.measured)
        since.pairs, since.batches = since.pairs + len(rows), since.batches + 1
        if not last and (batch + 1) % values["checkpoint_frequency_num_batches"]:
            continue
        number, found = number + 1, evaluate()
        value = found.of(values["optimized_metric"])
        best, bad = (value, 0) if value > best else (best, bad + 1)
        rate, lowered = schedule.rate(batch), schedule.told(bad == 0)
        told = (since.pairs, since.batches), since.measured, found, rate, since.began, bad, lowered
        yield Checkpoint(number, epoch, batch + 1, *told)
        since = _Since()
        if bad >= values["checkpoint_threshold"] and epoch >= values["min_num_epochs"]:
            return


class _Since:
    """What has been learned since a checkpoint."""

    def __init__(self) -> None:
        self.measured, self.pairs, self.batches, self.began = Measured(), 0, 0, time.time()


def _batches(values: Mapping[str, Any], train: Pairs) -> Iterator[tuple[int, int, list[int], bool]]:
    """Epoch, batch, rows, and whether it is the last batch of all, should training not stop before."""
    width = values["bucket_width"] if values["bucketing_enabled"] else 0
    buckets = Buckets.of(train, width, (values["max_seq_len_source"], values["max_seq_len_target"]))
    draw, batch, epoch = np.random.default_rng(1), 0, 0
    epochs, most = values.get("max_num_epochs"), values["max_num_batches"]
    while True:
        epoch += 1
        cut = list(buckets.batches(values["batch_size"], draw))
        for place, rows in enumerate(cut, start=1):
            last = (epoch == epochs and place == len(cut)) or batch + 1 == most
            yield epoch, batch, rows.tolist(), last
            batch += 1
            if last:
                return


def _optimizer(network: Network, values: Mapping[str, Any]) -> Any:
    """Those of MXNet, which adds the decay to the gradient too."""
    own = {"lr": values["learning_rate"], "weight_decay": values["weight_decay"]}
    if values["optimizer_type"] == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=values.get("momentum") or 0.0, **own)
    if values["optimizer_type"] == "rmsprop":
        return torch.optim.RMSprop(network.parameters(), alpha=0.9, **own)
    return torch.optim.Adam(network.parameters(), **own)


def _tensors(pairs: Pairs, limits: Limits) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sources and their lengths; the words before each word of the targets, and these with their ends."""
    rows, lengths = filled(pairs.sources)
    before, _ = filled([np.concatenate([[limits.begin], row]) for row in pairs.targets])
    wanted, counts = filled([np.concatenate([row, [limits.end]]) for row in pairs.targets])
    wanted[np.arange(wanted.shape[1]) >= counts[:, None]] = -1
    made: list[NDArray[np.int64]] = [rows, lengths, before, wanted]
    first, second, third, fourth = (torch.from_numpy(one) for one in made)
    return first, second, third, fourth


def _measure(scores: Tensor, wanted: Tensor, sums: Measured) -> Tensor:
    """The mean loss of the words, which are added to the sums."""
    flat, words = scores.flatten(0, 1), wanted.flatten()
    loss = functional.cross_entropy(flat, words, ignore_index=-1, reduction="sum")
    count = int((words >= 0).sum())
    sums.loss += loss.item()
    sums.right += int((flat.argmax(1) == words).sum())
    sums.words += count
    return loss / count


def _learn(network: Network, optimizer: Any, batch: Sequence[Tensor], clip: float, sums: Measured) -> None:
    network.train()
    optimizer.zero_grad(set_to_none=True)
    rows, lengths, before, wanted = batch
    _measure(network(rows, lengths, before), wanted, sums).backward()
    if clip >= 0:
        torch.nn.utils.clip_grad_value_(network.parameters(), clip)
    optimizer.step()


def evaluate(network: Network, held: Pairs, limits: Limits, sample: Sample | None, rows: int = 64) -> Measured:
    """Of pairs that are not learned from, `rows` at once; `sample` is None when no BLEU is asked for."""
    network.eval()
    sums = Measured()
    order = np.argsort([len(row) for row in held.sources], kind="stable")
    with torch.inference_mode():
        for at in range(0, len(order), rows):
            sources, lengths, before, wanted = _tensors(held.chosen(order[at : at + rows].tolist()), limits)
            _measure(network(sources, lengths, before), wanted, sums)
    if sample is not None:
        found = search(network, sample.pairs.sources, sample.limits, sample.beam)
        sums.bleu = bleu.bleu([one.words for one in found], [row.tolist() for row in sample.pairs.targets])
    return sums
