"""Convolutional encoders and decoders (Gehring et al., ICML 2017): learned positions, layers that are added to what
they are given, and attention after each layer of the decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from algorithms.seq2seq.attention import Memory, weights

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "glu": lambda out: functional.glu(out, 1),
    "relu": functional.relu,
    "softrelu": functional.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


class Convolution(nn.Module):
    """Over the places of a sequence; what comes out is shorter by the kernel's width less one."""

    def __init__(self, values: Mapping[str, Any], width: int) -> None:
        super().__init__()
        size, kind = values["cnn_num_hidden"], values["cnn_activation_type"]
        self.inner = nn.Conv1d(size, 2 * size if kind == "glu" else size, width)
        self.activation = ACTIVATIONS[kind]

    def forward(self, rows: Tensor) -> Tensor:
        return self.activation(self.inner(rows.transpose(1, 2))).transpose(1, 2)


class Places(nn.Module):
    """Adds what is learned of each place to what stands there, and brings it to the size of the layers."""

    def __init__(self, embed: int, size: int, longest: int) -> None:
        super().__init__()
        self.known = nn.Embedding(longest, embed)
        self.into = nn.Linear(embed, size, bias=False)

    def forward(self, embedded: Tensor, start: int = 0) -> Tensor:
        at = torch.arange(start, start + embedded.shape[1]).clamp(max=self.known.num_embeddings - 1)
        found: Tensor = self.into(embedded + self.known(at))
        return found


class ConvolutionalEncoder(nn.Module):
    """Each place sees as many before it as behind."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.size = values["cnn_num_hidden"]
        width = values["cnn_kernel_width_encoder"]
        self.edges = (width // 2, (width - 1) // 2)
        self.places = Places(values["num_embed_source"], self.size, values["max_seq_len_source"])
        self.layers = nn.ModuleList(Convolution(values, width) for _ in range(values["num_layers_encoder"]))
        self.dropout = nn.Dropout(values["cnn_hidden_dropout"])

    def forward(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        words = (torch.arange(embedded.shape[1]) < lengths[:, None])[..., None]
        out = self.places(embedded)
        for layer in self.layers:
            given = functional.pad(self.dropout(out) * words, (0, 0, *self.edges))
            out = out + layer(given)
        return out


class Look(nn.Module):
    """Attention of a layer: scaled products of projections, for many places at once."""

    def __init__(self, size: int, memory: int) -> None:
        super().__init__()
        self.size = size
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(memory, 2 * size, bias=False)

    def forward(self, made: Tensor, keys: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        key, value = keys[..., : self.size], keys[..., self.size :]
        scores = torch.einsum("nth,nsh->nts", self.query(made), key) / self.size**0.5
        found = weights(scores, words[:, None])
        return torch.einsum("nts,nsh->nth", found, value), found


class ConvolutionalDecoder(nn.Module):
    """Each place sees those before it; its state is what the layers need of these."""

    def __init__(self, values: Mapping[str, Any], memory: int) -> None:
        super().__init__()
        self.size = values["cnn_num_hidden"]
        self.before = values["cnn_kernel_width_decoder"] - 1
        self.places = Places(values["num_embed_target"], self.size, values["max_seq_len_target"] + 1)
        count = values["num_layers_decoder"]
        self.layers = nn.ModuleList(Convolution(values, self.before + 1) for _ in range(count))
        self.looks = nn.ModuleList(Look(self.size, memory) for _ in range(count))
        self.dropout = nn.Dropout(values["cnn_hidden_dropout"])

    def keys(self, states: Tensor) -> list[Tensor]:
        """What each layer's attention makes of an encoder's states."""
        return [look.key(states) for look in self.looks]

    def begin(self, memory: Memory) -> list[Tensor]:
        """Nothing stands before the first word."""
        return [memory.states.new_zeros(len(memory.states), self.before, self.size) for _ in self.layers]

    def step(self, embedded: Tensor, state: list[Tensor], memory: Memory, at: int) -> Any:
        """One word (n, e) further, the one with the number `at`."""
        made, looked, state = self._through(self.places(embedded[:, None], at), state, memory)
        return made[:, 0], looked[:, 0], state

    def forward(self, embedded: Tensor, memory: Memory) -> Tensor:
        """All words (n, t, e) of sequences that are known."""
        return self._through(self.places(embedded), self.begin(memory), memory)[0]

    def _through(self, out: Tensor, state: list[Tensor], memory: Memory) -> tuple[Tensor, Tensor, list[Tensor]]:
        kept, looked = [], []
        for number, layer in enumerate(self.layers):
            given = torch.cat([state[number], self.dropout(out)], 1)
            made = layer(given)
            context, found = self.looks[number](made, memory.keys[number], memory.words)
            out = out + made + context
            kept.append(given[:, given.shape[1] - self.before :])
            looked.append(found)
        return out, torch.stack(looked).mean(0), kept
