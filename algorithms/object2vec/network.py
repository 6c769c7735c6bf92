"""The network itself, in PyTorch: tables of tokens, encoders, comparators and the layers behind them.

Encoders are those of the paper that Amazon's announcement of Object2Vec goes by (Conneau and others, EMNLP 2017,
"Supervised Learning of Universal Sentence Representations"): a hierarchical convolution and a BiLSTM, each with the
largest value over time, beside the mean of the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from algorithms.object2vec.hyperparameters import BILSTM, HCNN
from algorithms.object2vec.shape import Encoder, Shape

START = 0.1
"""Numbers of a token begin between minus and plus this."""
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda values: values}
Sequences = tuple[Tensor, Tensor]
"""Tokens one behind the other, and the length of each sequence."""


class Hcnn(nn.Module):
    """Convolutions on top of each other, of each the largest value over time, side by side."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        super().__init__()
        sizes = [size // encoder.layers + (number < size % encoder.layers) for number in range(encoder.layers)]
        below = [encoder.dim, *sizes[:-1]]
        self.beyond = ((encoder.width - 1) // 2, encoder.width // 2)
        self.layers = nn.ModuleList(
            nn.Conv1d(given, made, encoder.width) for given, made in zip(below, sizes, strict=True)
        )

    def forward(self, rows: Tensor, lengths: Tensor) -> Tensor:
        """Of tokens (n, time, dim). What is no token is zero at every layer, as beyond the ends of the longest."""
        there = _there(rows, lengths)
        values, largest = rows.transpose(1, 2), []
        for layer in self.layers:
            values = torch.relu(layer(functional.pad(values, self.beyond))) * there
            largest.append(values.amax(2))
        return torch.cat(largest, 1)


class BiLstm(nn.Module):
    """Both directions, the largest value over time; of an odd size the last number is left out."""

    def __init__(self, encoder: Encoder, size: int, dropout: float) -> None:
        super().__init__()
        self.size = size
        between = dropout if encoder.layers > 1 else 0.0
        self.lstm = nn.LSTM(
            encoder.dim, -(-size // 2), encoder.layers, batch_first=True, bidirectional=True, dropout=between
        )

    def forward(self, rows: Tensor, lengths: Tensor) -> Tensor:
        """Of tokens (n, time, dim)."""
        packed = nn.utils.rnn.pack_padded_sequence(rows, lengths, batch_first=True, enforce_sorted=False)
        values, _ = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, padding_value=float("-inf")
        )
        return values.amax(1)[:, : self.size]


class Network(nn.Module):
    """All of it. Parameters are named by what they are of: `tables.0`, `encoders.1.layers.0.weight`, `mlp.0.bias`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        tables = shape.encoders[:1] if shape.tied else shape.encoders
        self.tables = nn.ParameterList(
            nn.Parameter(torch.empty(one.vocabulary, one.dim).uniform_(-START, START)) for one in tables
        )
        self.encoders = nn.ModuleList(_encoder(one, shape) for one in shape.encoders)
        layers, size = shape.mlp
        sizes = [shape.compared, *[size] * layers, shape.outputs]
        self.mlp = nn.ModuleList(nn.Linear(*both) for both in pairwise(sizes))
        for one in self.mlp:
            nn.init.xavier_uniform_(one.weight)
            nn.init.zeros_(one.bias)

    def forward(self, both: Sequence[Sequences]) -> Tensor:
        """Scores before the softmax (n, classes), or predictions (n, 1)."""
        first, second = (self.drop(self.encode(side, one)) for side, one in enumerate(both))
        made = {"hadamard": lambda: first * second, "concat": lambda: torch.cat([first, second], 1),
                "abs_diff": lambda: (first - second).abs()}  # fmt: skip
        values = torch.cat([made[name]() for name in self.shape.comparators], 1)
        activation = ACTIVATIONS[self.shape.activation]
        for layer in self.mlp[:-1]:
            values = self.drop(activation(layer(values)))
        return self.mlp[-1](values)

    def encode(self, side: int, given: Sequences) -> Tensor:
        """The embeddings (n, enc_dim) of sequences of one side."""
        tokens, lengths = given
        table = self.tables[min(side, len(self.tables) - 1)]
        encoder = self.encoders[min(side, len(self.encoders) - 1)]
        sparse = self.shape.sparse and table.requires_grad
        if isinstance(encoder, nn.Identity):
            starts = torch.cumsum(lengths, 0) - lengths
            return functional.embedding_bag(tokens, table, starts, mode="mean", sparse=sparse)
        longest = int(lengths.max())
        places = torch.arange(longest) < lengths[:, None]
        rows = torch.zeros(len(lengths), longest, table.shape[1])
        rows[places] = functional.embedding(tokens, table, sparse=sparse)
        return encoder(rows, lengths)

    def drop(self, values: Tensor) -> Tensor:
        """Dropout while it trains."""
        return functional.dropout(values, self.shape.dropout, self.training) if self.shape.dropout else values

    @property
    def size(self) -> int:
        """How many numbers are learned or given."""
        return sum(one.numel() for one in self.parameters())

    @property
    def multiplications(self) -> int:
        """About how many a pair takes, with sequences of 10 tokens."""
        inner = sum(one.numel() for one in self.encoders.parameters())
        return 10 * inner + sum(one.numel() for one in self.mlp.parameters())


def _encoder(one: Encoder, shape: Shape) -> nn.Module:
    if one.network == HCNN:
        return Hcnn(one, shape.enc_dim)
    if one.network == BILSTM:
        return BiLstm(one, shape.enc_dim, shape.dropout)
    return nn.Identity()


def _there(rows: Tensor, lengths: Tensor) -> Tensor:
    """1 where a sequence has a token (n, 1, time)."""
    return (torch.arange(rows.shape[1]) < lengths[:, None]).to(rows.dtype)[:, None]


def tensors(sequences: Any) -> Sequences:
    """Sequences of `pairs` as the network takes them."""
    return torch.from_numpy(sequences.tokens.astype("int64")), torch.from_numpy(sequences.lengths)
