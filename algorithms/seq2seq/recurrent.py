"""Recurrent encoders and decoders (Bahdanau et al., ICLR 2015), stacked as in Sockeye: with the attentional vector fed
back into the first layer, and attention in the upper layers as in Google's translation system (Wu et al., 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from algorithms.seq2seq.attention import ATTENTIONS, Memory, weights
from algorithms.seq2seq.hyperparameters import LSTM

CELLS: Mapping[str, tuple[Any, Any]] = {"lstm": (nn.LSTM, nn.LSTMCell), "gru": (nn.GRU, nn.GRUCell)}


def _is_residual(values: Mapping[str, Any], layer: int) -> bool:
    """Whether what goes into a layer, counted from 1, is added to what comes out."""
    return bool(values["rnn_residual_connections"]) and layer > 1 and layer >= values["rnn_first_residual_layer"]


class RecurrentEncoder(nn.Module):
    """A first layer in both directions, the others in the direction of reading."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        layer, _ = CELLS[values["rnn_cell_type"]]
        self.size = values["rnn_num_hidden"]
        count = values["num_layers_encoder"]
        self.first = layer(values["num_embed_source"], self.size // 2, batch_first=True, bidirectional=True)
        self.upper = nn.ModuleList(layer(self.size, self.size, batch_first=True) for _ in range(count - 1))
        self.residual = [_is_residual(values, number) for number in range(2, count + 1)]

    def forward(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.first(packed)[0], batch_first=True, total_length=embedded.shape[1])
        for layer, residual in zip(self.upper, self.residual, strict=True):
            above = layer(out)[0]
            out = above + out if residual else above
        return out


class RecurrentDecoder(nn.Module):
    """Its state: the attentional vector, then the states of the layers from below."""

    def __init__(self, values: Mapping[str, Any], memory: int) -> None:
        super().__init__()
        self.size = size = values["rnn_num_hidden"]
        count = values["num_layers_decoder"]
        self.early = values["rnn_attention_in_upper_layers"] and count > 1
        self.has_memory = values["rnn_cell_type"] == LSTM
        _, cell = CELLS[values["rnn_cell_type"]]
        above = size + memory if self.early else size
        self.cells = nn.ModuleList(
            cell(values["num_embed_target"] + size if layer == 0 else above, size) for layer in range(count)
        )
        self.residual = [_is_residual(values, layer) for layer in range(1, count + 1)]
        self.init = values["rnn_decoder_state_init"]
        states = 0 if self.init == "zero" else count * (2 if self.has_memory else 1)
        self.starts = nn.ModuleList(nn.Linear(memory, size) for _ in range(states))
        hidden = values.get("rnn_attention_num_hidden") or size
        self.attention = ATTENTIONS[values["rnn_attention_type"]](size, memory, hidden)
        self.combine = nn.Linear(size + memory, size)
        self.dropout = nn.Dropout(values["rnn_decoder_hidden_dropout"])

    def keys(self, states: Tensor) -> list[Tensor]:
        """What the attention makes of an encoder's states, once for all steps."""
        return [self.attention.keys(states)]

    def begin(self, memory: Memory) -> list[Tensor]:
        """The state before the first word."""
        zero = memory.states.new_zeros(len(memory.states), self.size)
        if self.init == "zero":
            return [zero] * (1 + len(self.cells) * (2 if self.has_memory else 1))
        lengths = memory.words.sum(1)
        if self.init == "last":
            seen = memory.states[torch.arange(len(lengths)), lengths - 1]
        else:
            seen = (memory.states * memory.words[..., None]).sum(1) / lengths[:, None]
        return [zero, *(torch.tanh(start(seen)) for start in self.starts)]

    def step(self, embedded: Tensor, state: list[Tensor], memory: Memory, at: int) -> Any:
        """One word (n, e) further: the vector that tells the next, the weights of the source's words, the state."""
        fed, kept = state[0], []
        below, seen = torch.cat([embedded, fed], 1), None
        for number, cell in enumerate(self.cells):
            given = below if seen is None else torch.cat([below, seen[0]], 1)
            own = state[1 + 2 * number : 3 + 2 * number] if self.has_memory else [state[1 + number]]
            made = list(cell(given, tuple(own))) if self.has_memory else [cell(given, own[0])]
            kept += made
            below = made[0] + below if self.residual[number] else made[0]
            if self.early and seen is None:
                seen = self._look(below, memory)
        context, looked = seen if seen is not None else self._look(below, memory)
        fed = self.dropout(torch.tanh(self.combine(torch.cat([below, context], 1))))
        return fed, looked, [fed, *kept]

    def forward(self, embedded: Tensor, memory: Memory) -> Tensor:
        """All words (n, t, e) of sequences that are known."""
        state, found = self.begin(memory), []
        for at in range(embedded.shape[1]):
            made, _, state = self.step(embedded[:, at], state, memory, at)
            found.append(made)
        return torch.stack(found, 1)

    def _look(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        found = weights(self.attention.scores(query, memory.keys[0]), memory.words)
        return torch.einsum("ns,nsd->nd", found, memory.states), found
