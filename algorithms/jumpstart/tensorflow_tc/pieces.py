"""Text as numbers: words and, of rare ones, their parts, as BERT's WordPiece has them, of a vocabulary learned here.

A word is cut into the longest pieces that the vocabulary has, from its beginning; `##` is before those inside a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

FILE = "vocab.txt"
PAD, UNKNOWN, FIRST, LAST = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
MOST_WORDS, OFTEN = 30_000, 2
"""Words that are learned, and how often one has to be there; others are spelled."""
LONGEST = 128
"""Pieces of a text that are looked at, the first and the last one included."""
WORD = re.compile(r"\w+|[^\w\s]")


def words(text: str, lower: bool) -> list[str]:
    """Words and punctuation marks; `lower` also takes accents away, as BERT's uncased models do."""
    if lower:
        parts = unicodedata.normalize("NFD", text.lower())
        text = "".join(letter for letter in parts if unicodedata.category(letter) != "Mn")
    return WORD.findall(text)


def learned(texts: Iterable[str], lower: bool) -> list[str]:
    """A vocabulary: marks, letters by which anything is spelled, and frequent words."""
    counts = Counter(word for text in texts for word in words(text, lower))
    letters = sorted({letter for word in counts for letter in word})
    frequent = [word for word, count in counts.most_common(MOST_WORDS) if count >= OFTEN and len(word) > 1]
    return [PAD, UNKNOWN, FIRST, LAST, *letters, *(f"##{letter}" for letter in letters), *frequent]


class Pieces:
    """A vocabulary at work."""

    def __init__(self, vocabulary: Sequence[str], lower: bool) -> None:
        self.vocabulary = list(vocabulary)
        self._places = {piece: place for place, piece in enumerate(vocabulary)}
        self._lower = lower
        self._known: dict[str, list[int]] = {}

    @classmethod
    def of(cls, path: Path, lower: bool) -> Pieces:
        """From a file with a piece in each line."""
        return cls(path.read_text(encoding="utf-8").splitlines(), lower)

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text("\n".join(self.vocabulary) + "\n", encoding="utf-8")

    def numbers(self, text: str) -> list[int]:
        """The numbers of a text's pieces, up to LONGEST."""
        found = [number for word in words(text, self._lower) for number in self._of(word)]
        return [self._places[FIRST], *found[: LONGEST - 2], self._places[LAST]]

    def _of(self, word: str) -> list[int]:
        if word not in self._known:
            self._known[word] = self._cut(word)
        return self._known[word]

    def _cut(self, word: str) -> list[int]:
        found, at = [], 0
        while at < len(word):
            mark = "##" if at else ""
            end = next((end for end in range(len(word), at, -1) if mark + word[at:end] in self._places), at)
            if end == at:
                return [self._places[UNKNOWN]]
            found.append(self._places[mark + word[at:end]])
            at = end
        return found
