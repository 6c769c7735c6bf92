"""Words and their numbers, from the JSON files that AWS's create_vocab_proto.py writes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from algorithms.common.faults import UserError

PAD, UNKNOWN, BEGIN, END = "<pad>", "<unk>", "<s>", "</s>"
SPECIAL = (PAD, UNKNOWN, BEGIN, END)
SOURCE, TARGET = "vocab.src.json", "vocab.trg.json"


@dataclass(frozen=True)
class Vocabulary:
    """Of one side. `content` is the file, which the model keeps as it is."""

    ids: dict[str, int]
    content: bytes

    def __len__(self) -> int:
        """One more than the largest number: some may be missing."""
        return max(self.ids.values()) + 1

    def encode(self, text: str) -> list[int]:
        """The numbers of the words of a text, which blanks separate."""
        return [self.ids.get(word, self.ids[UNKNOWN]) for word in text.split()]

    def decode(self, numbers: Iterable[int]) -> str:
        """The words, with blanks between them."""
        return " ".join(self._words.get(number, UNKNOWN) for number in numbers)

    @cached_property
    def _words(self) -> dict[int, str]:
        return {number: word for word, number in self.ids.items()}


def both(folder: Path) -> tuple[Vocabulary, Vocabulary]:
    """Those of a channel or of a model; UserError when one is missing or is none."""
    return read(folder, SOURCE), read(folder, TARGET)


def read(folder: Path, name: str) -> Vocabulary:
    """One of them."""
    path = folder / name
    if not path.is_file():
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else ""
        raise UserError(
            f"No '{name}' among the vocabularies (found: {found or 'nothing'}). The channel 'vocab' is to hold "
            f"{SOURCE} and {TARGET}."
        )
    content = path.read_bytes()
    try:
        told = json.loads(content)
    except ValueError as error:
        raise UserError(f"'{name}' is no JSON: {error}") from error
    _demand(name, told)
    return Vocabulary(told, content)


def _demand(name: str, told: Any) -> None:
    if not isinstance(told, dict) or not all(type(n) is int and 0 <= n < 1 << 31 for n in told.values()):
        raise UserError(f"'{name}' is to be a JSON object that gives each word its number, from 0 on.")
    if missing := [word for word in SPECIAL if word not in told]:
        raise UserError(f"'{name}' has no {', '.join(missing)}: the first words are {', '.join(SPECIAL)}.")
    if told[PAD] != 0:
        raise UserError(f"'{name}' gives {PAD} the number {told[PAD]}: it is to be 0.")
    if len(set(told.values())) < len(told):
        raise UserError(f"'{name}' gives several words the same number.")
