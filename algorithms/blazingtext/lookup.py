"""What a stored model says of words and texts, computed as fastText does: dictionary.cc, fasttext.cc, loss.cc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from algorithms.blazingtext.fasttext_file import NEGATIVE_SAMPLING, ONE_VS_ALL, SOFTMAX, SUPERVISED, Malformed, Stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

END = "</s>"
"""The word that every line ends with."""
NGRAM_FACTOR, MASK = 116049371, (1 << 64) - 1


class Lookup:
    """A model that is asked."""

    def __init__(self, stored: Stored) -> None:
        arguments = stored.arguments
        if arguments.model == SUPERVISED and arguments.loss not in (SOFTMAX, ONE_VS_ALL, NEGATIVE_SAMPLING):
            raise Malformed("its loss is the hierarchical softmax, which is not read here: train with softmax")
        self.labels = list(stored.labels)
        self.is_classifier = arguments.model == SUPERVISED
        self._arguments, self._input, self._output = arguments, stored.input, stored.output
        self._ids = {word: number for number, word in enumerate(stored.words)}

    @property
    def dim(self) -> int:
        return self._arguments.dim

    def vector(self, word: str) -> NDArray[np.float32]:
        """Of a word, known or not; zeros for one of which nothing is known."""
        rows = self._subwords(word)
        return self._mean(rows)

    def classes(self, text: str, k: int) -> list[tuple[str, float]]:
        """The k most likely labels of a text with their probabilities, the likeliest first."""
        rows = list(self._rows(text))
        if not rows:
            return []
        scores = self._output @ self._mean(rows)
        if self._arguments.loss == SOFTMAX:
            powers = np.exp(scores - scores.max())
            chances = powers / powers.sum()
        else:
            chances = 1 / (1 + np.exp(-scores))
        best = np.argsort(-chances, kind="stable")[:k]
        return [(self.labels[number], float(chances[number])) for number in best]

    def _mean(self, rows: list[int]) -> NDArray[np.float32]:
        if not rows:
            return np.zeros(self.dim, np.float32)
        return self._input[rows].sum(axis=0) * np.float32(1 / len(rows))

    def _rows(self, text: str) -> Iterator[int]:
        """Of the words of a line, known or not, and of its word n-grams."""
        words = [*text.split(), END]
        for word in words:
            if word in self._ids or word != END:
                yield from self._subwords(word)
        hashes = [_signed(_hash(word.encode())) for word in words]
        for first in range(len(hashes)):
            total = hashes[first] & MASK
            for following in hashes[first + 1 : first + self._arguments.word_ngrams]:
                total = (total * NGRAM_FACTOR + following) & MASK
                yield len(self._ids) + total % self._arguments.bucket

    def _subwords(self, word: str) -> list[int]:
        """The word itself, and its character n-grams."""
        own = [self._ids[word]] if word in self._ids else []
        if self._arguments.maxn <= 0 or word == END:
            return own
        return own + [len(self._ids) + _hash(part) % self._arguments.bucket for part in self._ngrams(f"<{word}>")]

    def _ngrams(self, word: str) -> Iterator[bytes]:
        low, high = self._arguments.minn, self._arguments.maxn
        for start in range(len(word)):
            for end in range(start + low, min(start + high, len(word)) + 1):
                if end - start > 1 or not (start == 0 or end == len(word)):
                    yield word[start:end].encode()


def _hash(text: bytes) -> int:
    """FNV-1a of 32 bits, with the bytes taken for signed, as fastText's first release did by mistake."""
    found = 2166136261
    for byte in text:
        found = (found ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619 & 0xFFFFFFFF
    return found


def _signed(number: int) -> int:
    return number - (1 << 32) if number >> 31 else number
