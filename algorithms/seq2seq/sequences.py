"""Pairs of sequences: read from recordio-protobuf, sorted into buckets of like lengths, and cut into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import recordio, streams
from algorithms.common.channels import data_files
from algorithms.common.faults import UserError
from algorithms.first_party import data, wording
from algorithms.first_party.definition import RECORDIO
from algorithms.first_party.run import Run
from algorithms.seq2seq.vocabulary import SOURCE, TARGET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = NDArray[np.int64]

SIDES = ("source", "target")
FILES = {"source": SOURCE, "target": TARGET}


@dataclass(frozen=True)
class Pairs:
    """Numbers of words, of which `sources[i]` becomes `targets[i]`; none of them is empty."""

    sources: list[Row]
    targets: list[Row]

    def __len__(self) -> int:
        return len(self.sources)

    def chosen(self, rows: Sequence[int]) -> Pairs:
        return Pairs([self.sources[row] for row in rows], [self.targets[row] for row in rows])

    @property
    def ratios(self) -> NDArray[np.float64]:
        """How long each target is, for each word of its source."""
        return np.array([len(t) / len(s) for s, t in zip(self.sources, self.targets, strict=True)])


def read(run: Run, channel: str, sizes: tuple[int, int]) -> Pairs:
    """A channel's pairs, cut to the longest that are taken; `sizes` are those of the vocabularies."""
    kind = data.kind_of(channel, dict(run.layout.channels[channel]), (RECORDIO,))
    folder = run.layout.channel(channel)
    found, empty = Pairs([], []), 0
    longest = run.values["max_seq_len_source"], run.values["max_seq_len_target"]
    try:
        for number, features in enumerate(_records(data_files(folder) if folder.exists() else [])):
            rows = [_row(features, side, number, size) for side, size in zip(SIDES, sizes, strict=True)]
            if not all(len(row) for row in rows):
                empty += 1
                continue
            found.sources.append(rows[0][: longest[0]])
            found.targets.append(rows[1][: longest[1]])
    except (recordio.Malformed, ValueError) as error:
        raise UserError(wording.unreadable_channel(channel, kind.media, error)) from error
    if not len(found):
        raise UserError(wording.empty_channel(channel))
    if empty:
        run.log.info(
            f"{empty} records of channel '{channel}' have no source or no target: they are left out.", "WARNING"
        )
    return found


def _records(files: Sequence[Any]) -> Iterator[Any]:
    for file in files:
        with streams.reading(file) as stream:
            yield from (features for features, _ in recordio.read(stream))


def _row(features: Any, side: str, number: int, size: int) -> Row:
    if side not in features:
        raise ValueError(f"record {number} has no '{side}' (it has: {', '.join(sorted(features)) or 'nothing'})")
    return numbers(features[side], f"'{side}' of record {number}", (size, FILES[side]))


def numbers(tensor: Any, what: str, vocabulary: tuple[int, str]) -> Row:
    """The numbers of words of a tensor; ValueError for what is none. `vocabulary` is its size and its file's name."""
    values, keys, _ = tensor
    if keys is not None and len(values):
        raise ValueError(f"{what} is sparse: it is to be a dense tensor of Int32")
    if values.dtype.kind != "i" and len(values):
        raise ValueError(f"{what} has no Int32 tensor: words are whole numbers, those of {vocabulary[1]}")
    row: Row = values.astype(np.int64)
    if len(row) and not 0 <= row.min() <= row.max() < vocabulary[0]:
        worst = int(row.max() if row.min() >= 0 else row.min())
        raise ValueError(f"{what} has a word {worst}; {vocabulary[1]} has words from 0 to {vocabulary[0] - 1}")
    return row


@dataclass(frozen=True)
class Buckets:
    """Which pairs are like each other in length, so that a batch of them is filled up little."""

    groups: list[NDArray[np.int64]]

    @classmethod
    def of(cls, pairs: Pairs, width: int, longest: tuple[int, int]) -> Buckets:
        """Steps of `width` of the longer side, and of the shorter one in proportion; 0 for one bucket."""
        if not width:
            return cls([np.arange(len(pairs))])
        ratio = float(pairs.ratios.mean())
        steps = max(round(width / ratio), 1) if ratio > 1 else width, max(round(width * min(ratio, 1)), 1)
        steps = (steps[0], width) if ratio > 1 else steps
        lengths = np.array([[len(row) for row in side] for side in (pairs.sources, pairs.targets)])
        places = np.maximum(*(-(-own // step) for own, step in zip(lengths, steps, strict=True)))
        places = np.minimum(places, max(-(-most // step) for most, step in zip(longest, steps, strict=True)))
        return cls([np.flatnonzero(places == place) for place in np.unique(places)])

    def batches(self, size: int, draw: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Each pair once, in an order that is drawn."""
        cut = []
        for group in self.groups:
            order = draw.permutation(group)
            cut += [order[at : at + size] for at in range(0, len(order), size)]
        yield from (cut[number] for number in draw.permutation(len(cut)))


def filled(rows: Sequence[Any], length: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows below each other, filled up with 0, and how long each is."""
    lengths = np.array([len(row) for row in rows], np.int64)
    whole = np.zeros((len(rows), max(int(lengths.max()), length)), np.int64)
    for number, row in enumerate(rows):
        whole[number, : len(row)] = row
    return whole, lengths
