"""Pairs of sequences of tokens: from the JSON Lines of a channel, as flat arrays."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import streams
from algorithms.common.channels import data_files
from algorithms.common.faults import UserError
from algorithms.first_party import data, wording
from algorithms.first_party.run import Run
from algorithms.object2vec.shape import INPUTS, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

JSONLINES = "application/jsonlines"
BOM = b"\xef\xbb\xbf"
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Sequences:
    """Sequences behind each other; the n-th is `tokens[starts[n]:starts[n + 1]]`."""

    tokens: NDArray[Any]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts)

    def take(self, rows: NDArray[Any]) -> Sequences:
        """Some of them, in this order."""
        counts = self.lengths[rows]
        ends = np.cumsum(counts)
        offsets = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self.starts[rows] - (ends - counts), counts)
        return Sequences(self.tokens[offsets], np.concatenate([[0], ends]))

    def at_most(self, longest: int) -> Sequences:
        """Their beginnings."""
        counts = np.minimum(self.lengths, longest)
        ends = np.cumsum(counts)
        offsets = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self.starts[:-1] - (ends - counts), counts)
        return Sequences(self.tokens[offsets], np.concatenate([[0], ends]))

    def identities(self) -> NDArray[np.int64]:
        """A number for each: the same for the same sequence."""
        known: dict[bytes, int] = {}
        found = np.empty(len(self), np.int64)
        for number, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            found[number] = known.setdefault(self.tokens[start:end].tobytes(), len(known))
        return found


@dataclass(frozen=True)
class Pairs:
    """Both sides of each record, and its label."""

    sides: tuple[Sequences, Sequences]
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)


def read(run: Run, channel: str, shape: Shape) -> Pairs | None:
    """The pairs of a channel; None when the job has no such channel, UserError when it holds none."""
    if not run.has(channel):
        return None
    kind = data.kind_of(channel, dict(run.layout.channels[channel]), run.definition.formats)
    run.log.info(f"Loaded iterator creator {kind.media} for content type ('{kind.media}', '1.0')")
    folder, gathered = run.layout.channel(channel), Gathered()
    for file in data_files(folder) if folder.exists() else []:
        try:
            _lines(file, gathered.add)
        except (UserError, ValueError) as error:
            raise UserError(wording.unreadable_channel(channel, kind.media, error)) from error
    if not len(gathered.labels):
        raise UserError(wording.empty_channel(channel))
    return _checked(channel, gathered, shape)


@dataclass
class Gathered:
    """What is read, in arrays that grow."""

    labels: array[float] = field(default_factory=lambda: array("d"))
    tokens: tuple[array[int], array[int]] = field(default_factory=lambda: (array("q"), array("q")))
    ends: tuple[array[int], array[int]] = field(default_factory=lambda: (array("q", [0]), array("q", [0])))

    def add(self, record: Any) -> None:
        """ValueError when it is no labelled pair."""
        if not isinstance(record, dict):
            raise ValueError("it is no object with in0, in1 and label")
        found = [sequence(record, name) for name in INPUTS]
        label = record.get("label")
        if isinstance(label, bool) or not isinstance(label, int | float) or not math.isfinite(label):
            raise ValueError(f"its label is no number: {shown(label)}" if "label" in record else "it has no 'label'")
        self.labels.append(label)
        for tokens, ends, own in zip(self.tokens, self.ends, found, strict=True):
            tokens.extend(own)
            ends.append(len(tokens))


def sequence(record: dict[str, Any], name: str) -> list[int]:
    """One side of a record; ValueError when it is no sequence of tokens."""
    if name not in record:
        raise ValueError(f"it has no {name!r}")
    tokens = record[name]
    if not isinstance(tokens, list):
        raise ValueError(f"its {name} is no list of tokens: {shown(tokens)}")
    if not tokens:
        raise ValueError(f"its {name} has no tokens")
    if set(map(type, tokens)) != {int}:
        bad = next(token for token in tokens if type(token) is not int)
        raise ValueError(f"its {name} is to hold whole numbers, and holds {shown(bad)}")
    if max(tokens) > 1 << 40 or min(tokens) < -(1 << 40):
        raise ValueError(f"its {name} holds a number that is no token: {shown(max(tokens, key=abs))}")
    return tokens


def shown(value: Any) -> str:
    """As messages show it."""
    text = json.dumps(value) if isinstance(value, dict | list | str | int | float | None) else str(value)
    return text if len(text) <= 50 else f"{text[:50]}…"


def _lines(file: Path, add: Callable[[Any], None]) -> None:
    """ValueError names the line that is no pair."""
    loads = _decoder()
    with streams.reading(file) as stream:
        for number, line in _numbered(stream):
            try:
                add(loads(line))
            except (ValueError, OverflowError, RecursionError) as error:
                raise ValueError(f"line {number} of file '{file.name}': {error}") from error


def _numbered(stream: Any) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(stream, 1):
        if text := (line.removeprefix(BOM) if number == 1 else line).strip():
            yield number, text


def _decoder() -> Callable[[bytes], Any]:
    """The fast one, which an image of the user's own may not have."""
    try:
        import orjson
    except ImportError:
        return json.loads
    return orjson.loads


def _checked(channel: str, gathered: Gathered, shape: Shape) -> Pairs:
    sides = []
    for number, name in enumerate(INPUTS):
        encoder = shape.encoder(number)
        tokens = np.frombuffer(gathered.tokens[number], np.int64)
        demand_vocabulary(name, tokens, encoder.vocabulary)
        ends = np.frombuffer(gathered.ends[number], np.int64)
        sides.append(Sequences(tokens.astype(np.int32), ends).at_most(encoder.longest))
    labels = np.frombuffer(gathered.labels, np.float64)
    if (largest := float(abs(labels).max())) > LARGEST:
        allowed = f"numbers that single precision holds, not above {LARGEST:.3g}"
        raise UserError(wording.label_out_of_range(channel, f"{largest:g}", allowed))
    if not shape.is_regression:
        bad = (labels != np.floor(labels)) | (labels < 0) | (labels >= shape.outputs)
        if bad.any():
            value = labels[bad.argmax()]
            allowed = f"whole numbers from 0 to {shape.outputs - 1}, as num_classes is {shape.outputs}"
            raise UserError(wording.label_out_of_range(channel, f"{value:g}", allowed))
    return Pairs((sides[0], sides[1]), labels.astype(np.float32))


def demand_vocabulary(name: str, tokens: NDArray[Any], size: int) -> None:
    """UserError in the image's words: https://github.com/aws/sagemaker-python-sdk/issues/834"""
    said = f"Inconsistent vocab for {name} found. Vocab id"
    if tokens.max() >= size:
        raise UserError(f'{said} "{tokens.max()}" is not less than vocab_size={size}')
    if tokens.min() < 0:
        raise UserError(f'{said} "{tokens.min()}" is less than 0')
