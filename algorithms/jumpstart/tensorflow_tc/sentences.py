"""`data.csv` as the developer guide has it: a class (a whole number) and a text in each row, without a header."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common.failing import Refused
from torch import Tensor

FILE, SEED = "data.csv", 123
Rows = list[tuple[int, str]]


def read(values: Mapping[str, Any]) -> tuple[list[int], Rows, Rows]:
    """The classes in their order, and rows (place of the class, text) to learn from and to validate with."""
    training = _rows("training")
    classes = sorted({label for label, _ in training})
    if len(classes) < 2:
        raise Refused(f"{FILE} of the channel training has the class {classes[0]} alone; at least two are needed.")
    if os.environ.get("SM_CHANNEL_VALIDATION"):
        validation = _rows("validation")
        strange = sorted({label for label, _ in validation} - set(classes))
        if strange:
            raise Refused(f"The validation data have the class {strange[0]}, which the training data have not.")
    else:
        training, validation = _split(training, values["validation_split_ratio"])
    print(
        f"Training with {len(training)} texts of {len(classes)} classes, validating with {len(validation)}.", flush=True
    )
    placed = [[(classes.index(label), text) for label, text in rows] for rows in (training, validation)]
    return classes, placed[0], placed[1]


def _rows(channel: str) -> Rows:
    told = os.environ.get(f"SM_CHANNEL_{channel.upper()}")
    path = Path(told or "") / FILE
    if not told or not path.is_file():
        raise Refused(f"The channel {channel} has no {FILE}. It has to have one, with a class and a text in each row.")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            found = [_row(number, row, channel) for number, row in enumerate(csv.reader(file), 1) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise Refused(f"{FILE} of the channel {channel} is no CSV that can be read: {error}") from None
    if not found:
        raise Refused(f"There are no rows in {FILE} of the channel {channel}.")
    return found


def _row(number: int, row: Sequence[str], channel: str) -> tuple[int, str]:
    if len(row) != 2:
        raise Refused(
            f"Row {number} of {FILE} of the channel {channel} has {len(row)} columns; there have to be a class and a "
            "text. A text with a comma stands in quotes."
        )
    if not row[0].strip().isdigit():
        raise Refused(
            f"Row {number} of {FILE} of the channel {channel} has the class {row[0]!r}; classes are whole numbers from "
            "0, and there is no header."
        )
    return int(row[0]), row[1]


def _split(rows: Rows, ratio: float) -> tuple[Rows, Rows]:
    cut = max(1, int(len(rows) * ratio))
    if cut >= len(rows):
        raise Refused(
            f"validation_split_ratio={ratio} leaves nothing of {len(rows)} rows to train with. Lower it, or give more."
        )
    order = np.random.default_rng(SEED).permutation(len(rows))
    return [rows[place] for place in sorted(order[cut:])], [rows[place] for place in sorted(order[:cut])]


class Texts:
    """Fulfils `networks.training.Examples`; `numbers` are those of each text's pieces."""

    def __init__(self, numbers: Sequence[Sequence[int]], labels: Sequence[int]) -> None:
        self.labels = np.array(labels, dtype=np.int64)
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, numbers: Sequence[int], learning: bool) -> tuple[Tensor, ...]:
        """Pieces (n, length), 0 behind the end of a text."""
        return (padded([self._numbers[int(number)] for number in numbers]),)


def padded(texts: Sequence[Sequence[int]]) -> Tensor:
    """As long as the longest of them."""
    longest = max(map(len, texts))
    return torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts])
