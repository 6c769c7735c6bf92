"""A toy language: numbers of words as AWS's example writes them, and what a sentence becomes."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from algorithms.common import recordio
from algorithms.seq2seq.vocabulary import SPECIAL

WORDS = 20
Sentences = list[list[int]]


def vocabulary(letter: str, words: int = WORDS) -> dict[str, int]:
    """`a0`, `a1` ... behind the four words that every vocabulary begins with."""
    return {word: n for n, word in enumerate([*SPECIAL, *(f"{letter}{n}" for n in range(words))])}


def sources(count: int, seed: int, longest: int = 8) -> Sentences:
    draw = np.random.default_rng(seed)
    return [draw.integers(4, 4 + WORDS, draw.integers(2, longest + 1)).tolist() for _ in range(count)]


def translated(sentence: Sequence[int]) -> list[int]:
    """Word by word, in the same order: the dictionary is a permutation."""
    return [4 + (7 * (word - 4) + 3) % WORDS for word in sentence]


def turned(sentence: Sequence[int]) -> list[int]:
    """Word by word, and the last one first."""
    return translated(sentence)[::-1]


def records(sentences: Sentences, becomes) -> bytes:
    return recordio.write_sequences({"source": one, "target": becomes(one)} for one in sentences)


def text(letter: str, sentence: Sequence[int]) -> str:
    return " ".join(f"{letter}{word - 4}" for word in sentence)


def vocabularies() -> dict[str, str]:
    """The files of the channel `vocab`."""
    return {"vocab.src.json": json.dumps(vocabulary("a")), "vocab.trg.json": json.dumps(vocabulary("b"))}
