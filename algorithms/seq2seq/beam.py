"""Beam search: the sequences that the network holds for likeliest, by the mean logarithm of their words' chances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from algorithms.seq2seq.attention import Memory
from algorithms.seq2seq.network import Network
from algorithms.seq2seq.sequences import filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOGETHER = 160
"""Hypotheses that are searched at once."""


@dataclass(frozen=True)
class Limits:
    """What a sequence may consist of: the words that begin, end and fill it, and how long it may get.

    `ratio` is the longest target of the training data for each word of its source.
    """

    begin: int
    end: int
    pad: int
    longest: int
    ratio: float

    def of(self, length: int) -> int:
        """The most words that become of so many."""
        return min(self.longest, max(math.ceil(self.ratio * length), 1))


class Found(NamedTuple):
    """The words of a target without its end, and the weights (words, source) with which each looked at the source."""

    words: list[int]
    matrix: NDArray[np.float32]


def search(network: Network, sources: Sequence[Any], limits: Limits, beam: int) -> list[Found]:
    """The best target of each source, where it was asked."""
    order = sorted(range(len(sources)), key=lambda number: len(sources[number]))
    found: dict[int, Found] = {}
    network.eval()
    with torch.inference_mode():
        step = max(TOGETHER // beam, 1)
        for at in range(0, len(order), step):
            part = order[at : at + step]
            told = _Search(network, [sources[number] for number in part], limits, beam).run()
            found |= dict(zip(part, told, strict=True))
    return [found[number] for number in range(len(sources))]


class _Search:
    """Of n sources, `beam` hypotheses each; steps are kept as (parents, words, weights), and gone back in the end."""

    def __init__(self, network: Network, sources: Sequence[Any], limits: Limits, beam: int) -> None:
        rows, lengths = (torch.from_numpy(one) for one in filled(sources))
        self.network, self.limits, self.beam, self.lengths = network, limits, beam, lengths.tolist()
        self.memory: Memory = network.encode(rows, lengths).repeated(beam)
        self.most = torch.tensor([limits.of(length) for length in self.lengths]).repeat_interleave(beam)
        self.scores = torch.full((len(rows), beam), float("-inf"))
        self.scores[:, 0] = 0
        self.counts = torch.zeros(len(rows), beam, dtype=torch.int64)
        self.ended = torch.zeros(len(rows), beam, dtype=torch.bool)
        self.steps: list[tuple[Tensor, Tensor, Tensor]] = []

    def run(self) -> list[Found]:
        state = self.network.decoder.begin(self.memory)
        words = torch.full((self.scores.numel(),), self.limits.begin)
        for at in range(int(self.most.max()) + 1):
            made, looked, state = self.network.decoder.step(self.network.embed(words), state, self.memory, at)
            parents, words = self._extend(self.network.output(made).log_softmax(1), at)
            state = [one[parents] for one in state]
            self.steps.append((parents, words, looked))
            if bool(self.ended.all()):
                break
        return [self._back(number) for number in range(len(self.scores))]

    def _extend(self, chances: Tensor, at: int) -> tuple[Tensor, Tensor]:
        """Each hypothesis by one word, of which the best stay: where they come from, and their words."""
        end, count = self.limits.end, chances.shape[1]
        chances[:, [self.limits.begin, self.limits.pad]] = float("-inf")
        over, ended = at >= self.most, self.ended.flatten()
        kept = chances[:, end].clone()
        chances[over | ended] = float("-inf")
        chances[:, end] = torch.where(ended, torch.zeros_like(kept), torch.where(over, kept, chances[:, end]))
        sums = (self.scores.flatten()[:, None] + chances).view(len(self.scores), self.beam, count)
        counts = self.counts + (~self.ended).long()
        ranked = (sums / counts[..., None]).flatten(1)
        best = ranked.topk(self.beam, 1).indices
        parent, word = best // count, best % count
        self.scores = sums.flatten(1).gather(1, best)
        self.counts = counts.gather(1, parent)
        self.ended = self.ended.gather(1, parent) | (word == end)
        first = torch.arange(len(best))[:, None] * self.beam
        return (first + parent).flatten(), word.flatten()

    def _back(self, number: int) -> Found:
        means = self.scores[number] / self.counts[number]
        row = number * self.beam + int(means.argmax())
        words, looked = [], []
        for parents, chosen, weights in reversed(self.steps):
            word, row = int(chosen[row]), int(parents[row])
            if word != self.limits.end:
                words.append(word)
                looked.append(weights[row, : self.lengths[number]].numpy())
        matrix = np.array(looked[::-1], np.float32).reshape(len(words), self.lengths[number])
        return Found(words[::-1], matrix)
