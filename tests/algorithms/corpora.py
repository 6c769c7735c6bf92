"""Documents drawn from topics that the tests know, and how well topics that were found are these."""

import struct
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class Corpus:
    """alpha (K,) and beta (K, V), with documents (D, V) and their mixtures (D, K)."""

    alpha: np.ndarray
    beta: np.ndarray
    documents: np.ndarray
    mixtures: np.ndarray

    def part(self, *at: int | None) -> np.ndarray:
        return self.documents[slice(*at)]


def draw(alpha, beta, count: int, length: float, seed: int) -> Corpus:
    """By the process of LDA; lengths are Poisson's."""
    chance = np.random.default_rng(seed)
    mixtures = chance.dirichlet(alpha, count)
    words = mixtures @ beta
    words /= words.sum(axis=1, keepdims=True)
    lengths = chance.poisson(length, count)
    documents = np.array([chance.multinomial(n, p) for n, p in zip(lengths, words, strict=True)], np.float32)
    return Corpus(np.asarray(alpha, float), beta, documents, mixtures)


def bars(topics: int, count: int, seed: int = 0, length: float = 150) -> Corpus:
    """The columns of a square of 5 x 5 words, and with ten topics its rows: Griffiths and Steyvers, PNAS 101 (2004)."""
    chance = np.random.default_rng(seed)
    beta = np.zeros((topics, 5, 5))
    for n in range(5):
        beta[n, :, n] = chance.dirichlet(np.full(5, 100.0))
    for n in range(5, topics):
        beta[n, n - 5, :] = chance.dirichlet(np.full(5, 100.0))
    return draw(np.full(topics, 1 / topics), beta.reshape(topics, 25), count, length, seed + 1)


def planted(topics: int, words: int, count: int, length: float, seed: int, sparsity: float = 0.05) -> Corpus:
    """Topics that are drawn themselves, of a few words each."""
    beta = np.random.default_rng(seed).dirichlet(np.full(words, sparsity), topics)
    return draw(np.full(topics, 1 / topics), beta, count, length, seed + 1)


@dataclass(frozen=True)
class Match:
    """Which found topic is which known one, how far apart they are (L1, 0 to 2), and how alike (cosine)."""

    order: np.ndarray
    distances: np.ndarray
    cosines: np.ndarray


def match(known: np.ndarray, found: np.ndarray) -> Match:
    distances = np.abs(known[:, None] - found[None]).sum(axis=2)
    rows, order = linear_sum_assignment(distances)
    chosen = found[order]
    lengths = np.linalg.norm(known, axis=1) * np.linalg.norm(chosen, axis=1)
    return Match(order, distances[rows, order], (known * chosen).sum(axis=1) / lengths)


def sparse_recordio(rows: np.ndarray) -> bytes:
    """As the SDK's `write_spmatrix_to_sparse_tensor`: values with keys, and the width as shape."""
    out = bytearray()
    for row in rows:
        keys = np.flatnonzero(row)
        tensor = _field(1, row[keys].astype("<f4").tobytes()) + _field(2, b"".join(_varint(int(key)) for key in keys))
        tensor += _field(3, _varint(len(row)))
        record = _field(1, _field(1, b"values") + _field(2, _field(2, tensor)))
        out += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
