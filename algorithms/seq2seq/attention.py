"""Attention: where a decoder looks. mlp is Bahdanau's, dot and bilinear are Luong's, fixed looks at the end alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Memory(NamedTuple):
    """What an encoder made: states (n, s, d), which of them are words (n, s), and what each attention made of them."""

    states: Tensor
    words: Tensor
    keys: list[Tensor]

    def repeated(self, times: int) -> Memory:
        """Each sequence so often, one below the other."""
        keys = [key.repeat_interleave(times, 0) for key in self.keys]
        return Memory(self.states.repeat_interleave(times, 0), self.words.repeat_interleave(times, 0), keys)


def weights(scores: Tensor, words: Tensor) -> Tensor:
    """Those that add up to one over the words."""
    found: Tensor = scores.masked_fill(~words, float("-inf")).softmax(-1)
    return found


class Dot(nn.Module):
    """Query times key; both are projected when their sizes are not that of the attention."""

    def __init__(self, query: int, memory: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Identity() if query == hidden else nn.Linear(query, hidden, bias=False)
        self.key = nn.Identity() if memory == hidden else nn.Linear(memory, hidden, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        found: Tensor = self.key(states)
        return found

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return torch.einsum("nsh,nh->ns", keys, self.query(query))


class Bilinear(Dot):
    """Query times a matrix times the states, whatever the size of the attention."""

    def __init__(self, query: int, memory: int, hidden: int) -> None:
        super().__init__(query, memory, query)
        self.key = nn.Linear(memory, query, bias=False)


class Mlp(nn.Module):
    """One layer of tanh over the query and the state."""

    def __init__(self, query: int, memory: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(query, hidden)
        self.key = nn.Linear(memory, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        found: Tensor = self.key(states)
        return found

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        found: Tensor = self.score(torch.tanh(keys + self.query(query)[:, None])).squeeze(-1)
        return found


class Fixed(nn.Module):
    """The last state, whatever is asked."""

    def __init__(self, query: int, memory: int, hidden: int) -> None:
        super().__init__()

    def keys(self, states: Tensor) -> Tensor:
        return states

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """The further right, the higher beyond comparison: of the words, the last one has all the weight."""
        return (torch.arange(keys.shape[1], dtype=keys.dtype) * 1e4).expand(keys.shape[:2])


ATTENTIONS: Mapping[str, Any] = {"dot": Dot, "bilinear": Bilinear, "mlp": Mlp, "fixed": Fixed}
