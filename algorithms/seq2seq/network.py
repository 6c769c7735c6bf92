"""The whole network: embeddings, an encoder, a decoder, and scores of the next word."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from algorithms.seq2seq.attention import Memory
from algorithms.seq2seq.convolutional import ConvolutionalDecoder, ConvolutionalEncoder
from algorithms.seq2seq.hyperparameters import CNN
from algorithms.seq2seq.recurrent import RecurrentDecoder, RecurrentEncoder


class Network(nn.Module):
    """Of the hyperparameters that shape it, and of the sizes of both vocabularies."""

    def __init__(self, values: Mapping[str, Any], sizes: tuple[int, int]) -> None:
        super().__init__()
        self.source = nn.Embedding(sizes[0], values["num_embed_source"])
        self.target = nn.Embedding(sizes[1], values["num_embed_target"])
        self.dropouts = nn.ModuleList(nn.Dropout(values[f"embed_dropout_{side}"]) for side in ("source", "target"))
        self.encoder: Any = (ConvolutionalEncoder if values["encoder_type"] == CNN else RecurrentEncoder)(values)
        decoder = ConvolutionalDecoder if values["decoder_type"] == CNN else RecurrentDecoder
        self.decoder: Any = decoder(values, self.encoder.size)
        self.output = nn.Linear(self.decoder.size, sizes[1])

    def encode(self, rows: Tensor, lengths: Tensor) -> Memory:
        """Sources (n, s), filled up, and how long they are."""
        states = self.encoder(self.dropouts[0](self.source(rows)), lengths)
        words = torch.arange(rows.shape[1]) < lengths[:, None]
        return Memory(states, words, self.decoder.keys(states))

    def forward(self, rows: Tensor, lengths: Tensor, before: Tensor) -> Tensor:
        """Scores (n, t, words) of the word behind each of `before` (n, t)."""
        found: Tensor = self.output(self.decoder(self.embed(before), self.encode(rows, lengths)))
        return found

    def embed(self, words: Tensor) -> Tensor:
        """Of targets."""
        found: Tensor = self.dropouts[1](self.target(words))
        return found

    @property
    def multiplications(self) -> int:
        """Of one word, about: every weight once, of the tables one row."""
        tables = self.source.weight.numel() + self.target.weight.numel()
        return sum(one.numel() for one in self.parameters()) - tables


def begun(values: Mapping[str, Any], sizes: tuple[int, int]) -> Network:
    """With the weights that training begins with, those of MXNet's initializers; biases are zero."""
    network = Network(values, sizes)
    for one in network.parameters():
        if one.dim() < 2:
            nn.init.zeros_(one)
            continue
        scale = abs(values["weight_init_scale"])
        if values["weight_init_type"] == "xavier":
            rest = math.prod(one.shape[2:])
            into, out = one.shape[1] * rest, one.shape[0] * rest
            scale = math.sqrt(scale / {"in": into, "out": out, "avg": (into + out) / 2}[values["xavier_factor_type"]])
        nn.init.uniform_(one, -scale, scale)
    return network
