"""The words of topics, how unique they are, and how near in meaning.

Topic uniqueness and word embedding topic coherence as Amazon's announcement of them defines both:
aws.amazon.com/blogs/machine-learning/amazon-sagemaker-neural-topic-model-now-supports-auxiliary-vocabulary-channel-
new-topic-evaluation-metrics-and-training-subsampling; the latter is pairwise, of Ding, Nallapati, Xiang (EMNLP 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.faults import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 20
"""Words of a topic that the image's log shows."""
VOCABULARY, EMBEDDINGS = "vocab.txt", "glove*.txt"


def strongest(projection: NDArray[Any], count: int = SHOWN) -> NDArray[np.int64]:
    """The words of each topic (K, count), the strongest first, of the projection (V, K)."""
    order: NDArray[np.int64] = np.argsort(-projection, axis=0, kind="stable")[:count].T
    return order


def uniqueness(top: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each topic (K,): the mean over its words of one by the number of topics that show the word."""
    found: NDArray[np.float64] = (1 / np.bincount(top.ravel())[top]).mean(axis=1)
    return found


def coherence(top: NDArray[np.int64], embeddings: NDArray[Any]) -> NDArray[np.float64]:
    """Of each topic (K,): the mean cosine of the embeddings (V, n) of two of its words."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = embeddings / np.where(lengths > 0, lengths, 1)
    count = top.shape[1]
    pairs = np.array([(unit[words] @ unit[words].T).sum() - (unit[words] ** 2).sum() for words in top])
    return pairs / max(count * (count - 1), 1)


def vocabulary(folder: Path, features: int) -> list[str]:
    """The words of a channel's folder, by their numbers; UserError when it does not have as many as features."""
    path = folder / VOCABULARY
    if not path.is_file():
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else ""
        raise UserError(f"Channel 'auxiliary' has no file '{VOCABULARY}' (it has: {found or 'nothing'}).")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"'{VOCABULARY}' of channel 'auxiliary' is no text in UTF-8: {error}") from error
    words = [line.strip() for line in lines]
    while words and not words[-1]:
        words.pop()
    if len(words) != features:
        raise UserError(
            f"'{VOCABULARY}' of channel 'auxiliary' has {len(words)} words, but feature_dim is {features}: "
            "it is to have a word a line, in the order of the features."
        )
    return words


def embeddings(folder: Path, words: Sequence[str]) -> tuple[NDArray[np.float32], int] | None:
    """Vectors of the words (V, n) from a file of GloVe's in the folder, and how many it does not know, which get the
    mean of the others; None without such a file."""
    paths = sorted(folder.glob(EMBEDDINGS))
    if not paths:
        return None
    places = {word: number for number, word in enumerate(words)}
    found: dict[int, list[float]] = {}
    with paths[0].open(encoding="utf-8") as lines:
        for line in lines:
            word, *numbers = line.rstrip("\n").split(" ")
            if word in places:
                found[places[word]] = _numbers(numbers, paths[0].name)
    if not found or len({len(vector) for vector in found.values()}) != 1:
        raise UserError(f"'{paths[0].name}' of channel 'auxiliary' has no vectors of one length for the vocabulary.")
    known = np.array(list(found.values()), np.float32)
    vectors = np.tile(known.mean(axis=0), (len(words), 1))
    vectors[list(found)] = known
    return vectors, len(words) - len(found)


def _numbers(texts: Sequence[str], name: str) -> list[float]:
    try:
        return [float(text) for text in texts]
    except ValueError as error:
        raise UserError(f"'{name}' of channel 'auxiliary' is no file of embeddings: {error}") from error
