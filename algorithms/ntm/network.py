"""The network and its gradients, written out: Miao, Yu, Blunsom, "Neural Variational Inference for Text Processing"
(ICML 2016), in the form of Ding, Nallapati, Xiang, "Coherence-Aware Neural Topic Modeling" (EMNLP 2018).

A document x goes through the encoder's layers to the mean and the logarithm of the deviation of a normal h; the mixture
of topics is z = softmax(h); each word of the document is drawn from softmax(W z + b). The loss of a document is the
negative evidence bound by word: its mean over documents bounds the logarithm of the perplexity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.ntm.layers import ACTIVATIONS, BatchNorm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[Any]

PROJECTION = "projection_weight"
"""The words of each topic (V, K), by the name under which users look for them."""


@dataclass(frozen=True)
class Shape:
    """Words, sizes of the encoder's layers, topics; the encoder's activation, and whether its layers are normalized."""

    words: int
    layers: Sequence[int]
    topics: int
    activation: str = "sigmoid"
    batch_norm: bool = False

    def arrays(self) -> dict[str, tuple[int, ...]]:
        """The shapes of a network's arrays by name, those of moving values last."""
        found: dict[str, tuple[int, ...]] = {}
        moving: dict[str, tuple[int, ...]] = {}
        below = self.words
        for number, size in enumerate(self.layers):
            found |= _connection(f"encoder_{number}", below, size)
            if self.batch_norm:
                found |= {f"encoder_{number}_bn_{part}": (size,) for part in ("gamma", "beta")}
                moving |= {f"encoder_{number}_bn_moving_{part}": (size,) for part in ("mean", "var")}
            below = size
        found |= _connection("mean", below, self.topics) | _connection("log_sigma", below, self.topics)
        return found | _connection("projection", self.topics, self.words) | moving


def _connection(name: str, below: int, size: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}_weight": (size, below), f"{name}_bias": (size,)}


@dataclass
class Losses:
    """Of each document (n,)."""

    recons: Matrix
    kld: Matrix

    @property
    def total(self) -> Matrix:
        return self.recons + self.kld


@dataclass
class Pass:
    """What a step forward leaves for the step back."""

    rows: Any
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Matrix] = field(default_factory=list)
    norms: list[Any] = field(default_factory=list)
    mean: Any = None
    deviation: Any = None
    noise: Any = None
    mixture: Any = None
    words: Any = None
    per_word: Any = None


class Network:
    """Parameters by the names of MXNet's layers, in its shapes: weights are (outputs, inputs)."""

    def __init__(self, shape: Shape, parameters: dict[str, Matrix], moving: dict[str, Matrix]) -> None:
        self.shape, self.parameters, self.moving = shape, parameters, moving
        self._activate, self._slope = ACTIVATIONS[shape.activation]
        self._norms = [BatchNorm(f"encoder_{n}_bn") for n in range(len(shape.layers))] if shape.batch_norm else []

    @classmethod
    def begin(cls, shape: Shape, draw: np.random.Generator) -> Network:
        """Weights of MXNet's Xavier initializer, uniform; scales and variances of one, everything else zero."""
        begun = {name: _begun(name, size, draw) for name, size in shape.arrays().items()}
        moving = {name: value for name, value in begun.items() if "_moving_" in name}
        return cls(shape, {name: value for name, value in begun.items() if name not in moving}, moving)

    def encode(self, rows: Any, training: bool = False) -> Pass:
        """To the mean and the deviation of the topics' normal; `training` normalizes by the batch itself."""
        seen, step = rows, Pass(rows)
        for number in range(len(self.shape.layers)):
            step.inputs.append(seen)
            seen = self._linear(seen, f"encoder_{number}")
            if self._norms:
                seen, kept = self._norms[number].forward(seen, self.parameters, self.moving, training)
                step.norms.append(kept)
            seen = self._activate(seen)
            step.outputs.append(seen)
        step.inputs.append(seen)
        step.mean = self._linear(seen, "mean")
        step.deviation = np.exp(self._linear(seen, "log_sigma"))
        return step

    def mixtures(self, rows: Any) -> Matrix:
        """The topics of documents (n, K): at the mean, so that an answer is the same each time."""
        return softmax(self.encode(rows).mean)

    def forward(self, rows: Any, noise: Matrix, training: bool = True) -> tuple[Losses, Pass]:
        """Losses of documents (n, V), dense or CSR, with standard normal noise (n, K); empty ones have none."""
        step = self.encode(rows, training)
        lengths = np.asarray(rows.sum(axis=1)).reshape(-1)
        step.per_word = np.where(lengths > 0, 1 / np.maximum(lengths, 1e-12), 0).astype(step.mean.dtype)
        step.noise = noise
        step.mixture = softmax(step.mean + step.deviation * noise)
        scores = self._linear(step.mixture, "projection")
        scores -= scores.max(axis=1, keepdims=True)
        said = products(rows, scores)
        np.exp(scores, out=scores)
        sums = scores.sum(axis=1)
        step.words = np.divide(scores, sums[:, None], out=scores)
        recons = (lengths * np.log(sums) - said) * step.per_word
        spread = step.deviation**2
        kld = (0.5 * (step.mean**2 + spread - 1) - np.log(step.deviation)).sum(axis=1) * step.per_word
        return Losses(recons, kld), step

    def backward(self, step: Pass) -> dict[str, Matrix]:
        """The gradients of the sum of the documents' losses; uses up the step."""
        gradients: dict[str, Matrix] = {}
        by_word = step.per_word[:, None]
        words = step.words
        words *= by_word > 0
        subtract(words, step.rows, step.per_word)
        back = self._linear_back("projection", step.mixture, words, gradients)
        back = step.mixture * (back - (step.mixture * back).sum(axis=1, keepdims=True))
        mean = back + by_word * step.mean
        log_sigma = back * step.noise * step.deviation + by_word * (step.deviation**2 - 1)
        seen = step.inputs[-1]
        back = self._linear_back("mean", seen, mean, gradients)
        back = back + self._linear_back("log_sigma", seen, log_sigma, gradients)
        for number in reversed(range(len(self.shape.layers))):
            back = back * self._slope(step.outputs[number])
            if self._norms:
                back = self._norms[number].backward(back, self.parameters, step.norms[number], gradients)
            back = self._linear_back(f"encoder_{number}", step.inputs[number], back, gradients, last=number == 0)
        return gradients

    def _linear(self, rows: Any, name: str) -> Matrix:
        found: Matrix = rows @ self.parameters[f"{name}_weight"].T
        return found + self.parameters[f"{name}_bias"]

    def _linear_back(
        self, name: str, rows: Any, back: Matrix, gradients: dict[str, Matrix], last: bool = False
    ) -> Matrix:
        gradients[f"{name}_weight"] = np.asarray((rows.T @ back).T)
        gradients[f"{name}_bias"] = back.sum(axis=0)
        found: Matrix = back if last else back @ self.parameters[f"{name}_weight"]
        return found


def _begun(name: str, size: tuple[int, ...], draw: np.random.Generator) -> Matrix:
    if name.endswith("_weight"):
        limit = np.sqrt(6 / sum(size))
        return draw.uniform(-limit, limit, size).astype(np.float32)
    return np.full(size, name.endswith(("_gamma", "_var")), np.float32)


def softmax(scores: Matrix) -> Matrix:
    found: Matrix = np.exp(scores - scores.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


def products(rows: Any, scores: Matrix) -> Matrix:
    """The sum of each row times its scores (n,)."""
    if not hasattr(rows, "tocsr"):
        found: Matrix = np.einsum("nv,nv->n", rows, scores)
        return found
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return np.bincount(owner, rows.data * scores[owner, rows.indices], minlength=rows.shape[0]).astype(scores.dtype)


def subtract(words: Matrix, rows: Any, factor: Matrix) -> None:
    """Each row times its factor, taken from the words in place."""
    if not hasattr(rows, "tocsr"):
        words -= rows * factor[:, None]
        return
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    words[owner, rows.indices] -= rows.data * factor[owner]


def copied(parameters: Mapping[str, Matrix]) -> dict[str, Matrix]:
    return {name: value.copy() for name, value in parameters.items()}
