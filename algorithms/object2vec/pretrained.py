"""Embeddings of words that come with the job: a file of words and numbers, and one that numbers the words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import streams
from algorithms.common.faults import UserError
from algorithms.first_party.run import Run
from algorithms.object2vec.hyperparameters import encoders
from algorithms.object2vec.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUXILIARY = "auxiliary"
Rows = tuple["NDArray[np.int64]", "NDArray[np.float32]"]
"""Tokens, and the embedding of each."""


def tables(run: Run, shape: Shape) -> dict[int, Rows]:
    """By the number of the table: what the files say of its tokens."""
    names = encoders(run.values)
    if shape.tied and len(names) == 2:
        names = _of_one_table(run.values)
    found = {}
    for number, name in enumerate(names):
        if file := run.values[f"{name}_pretrained_embedding_file"]:
            one = shape.encoder(int(name[-1]))
            known = _vocabulary(_file(run, f"{name}_vocab_file"), one.vocabulary)
            found[number] = _rows(_file(run, f"{name}_pretrained_embedding_file"), known, one.dim)
            run.log.info(
                f"{len(found[number][0])} of the {len(known)} words of {name}_vocab_file have an embedding in '{file}'."
            )
    return found


def _of_one_table(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The encoder whose files fill the table that both share."""
    given = {name: tuple(values[f"{name}_{of}"] for of in ("pretrained_embedding_file", "vocab_file"))
             for name in encoders(values) if values[f"{name}_pretrained_embedding_file"]}  # fmt: skip
    if len(set(given.values())) > 1:
        raise UserError(
            "tied_token_embedding_weight makes one table of tokens, but enc0_ and enc1_pretrained_embedding_file (or "
            "their vocab_file) differ: name the same files, or those of one encoder alone."
        )
    return tuple(given)[:1]


def _file(run: Run, hyperparameter: str) -> Path:
    name = run.values[hyperparameter]
    if not run.has(AUXILIARY):
        raise UserError(f"{hyperparameter} names '{name}', but the job has no channel '{AUXILIARY}' for it to lie in.")
    folder = run.layout.channel(AUXILIARY)
    path = folder / name
    if not path.is_file():
        has = ", ".join(sorted(one.name for one in folder.iterdir())) if folder.is_dir() else ""
        raise UserError(
            f"{hyperparameter} names '{name}', which is not in channel '{AUXILIARY}' (it has: {has or 'nothing'})."
        )
    return path


def _vocabulary(path: Path, size: int) -> dict[str, int]:
    try:
        found = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"The vocabulary '{path.name}' is no JSON: {error}") from error
    if not isinstance(found, dict) or not found:
        raise UserError(f"The vocabulary '{path.name}' is no JSON object of words and their numbers.")
    for word, token in found.items():
        if type(token) is not int or not 0 <= token < size:
            raise UserError(
                f"The vocabulary '{path.name}' gives {word[:50]!r} the number {str(token)[:50]}, which is no token of "
                f"0 to {size - 1}, as vocab_size is {size}."
            )
    return found


def _rows(path: Path, known: Mapping[str, int], dim: int) -> Rows:
    found: dict[int, NDArray[np.float32]] = {}
    heads = {head for known_word in known for head in known_word.split()[:1]}
    try:
        for word, numbers in _lines(path, dim, heads):
            if (token := known.get(word)) is not None and token not in found:
                found[token] = _numbers(word, numbers)
    except ValueError as error:
        raise UserError(f"The embeddings of '{path.name}' cannot be read: {error}") from error
    if not found:
        raise UserError(f"'{path.name}' has an embedding of none of the words of the vocabulary.")
    return np.array(list(found), np.int64), np.stack(list(found.values()))


def _lines(path: Path, dim: int, heads: Set[str]) -> Iterator[tuple[str, list[str]]]:
    """Words and texts of numbers, of the lines that begin with one of `heads` and of the first: files have millions.

    A word may hold blanks; a first line of two numbers is the head of word2vec's.
    """
    begun = False
    with streams.reading(path) as stream:
        for number, line in enumerate(stream, 1):
            text = line.decode("utf-8", errors="replace")
            if begun and not heads.intersection(text.split(None, 1)[:1]):
                continue
            parts = text.split()
            if not parts or (number == 1 and len(parts) == 2 and all(part.isdigit() for part in parts)):
                continue
            if len(parts) <= dim or not (begun or len(parts) == dim + 1):
                raise ValueError(f"line {number} has {len(parts) - 1} numbers, but tokens have a dimension of {dim}")
            begun = True
            yield " ".join(parts[:-dim]), parts[-dim:]


def _numbers(word: str, texts: list[str]) -> NDArray[np.float32]:
    found = [float(text) for text in texts]
    if not all(map(math.isfinite, found)):
        raise ValueError(f"a number of {word[:50]!r} is not finite")
    return np.array(found, np.float32)
