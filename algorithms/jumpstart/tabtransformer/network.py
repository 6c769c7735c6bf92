"""The network of Huang, Khetan, Cvitkovic and Karnin (2020), TabTransformer: https://arxiv.org/abs/2012.06678.

Embeddings of categories pass through blocks of self-attention over the columns; what becomes of them is joined with the
numbers and goes through a perceptron, of four and two times as many units as it has inputs. Without categorical columns
there is that perceptron alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

HEADS, FEED_FORWARD, HIDDEN = 8, 4, (4, 2)
"""Heads of attention, and how many times wider the hidden layers are than their input: the paper's."""
LARGE = 1 << 27
"""Multiplications of a product of matrices from which on it is worth several threads."""
THREADS = torch.get_num_threads()


@dataclass(frozen=True)
class Shape:
    """`sizes`: how many categories each column has, without the gap; `width`: units of an embedding, of which the part
    `shared` is one and the same for all categories of a column; `dropout`: in attention, and everywhere else."""

    sizes: list[int]
    numbers: int
    outputs: int
    width: int
    blocks: int
    shared: float
    dropout: tuple[float, float]


class Columns(nn.Module):
    """Embeddings: codes (rows, columns) become (rows, columns, width). Appendix A of the paper: the head of each tells
    its column, the rest its category."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        head = int(shape.width * shape.shared)
        counts = torch.tensor([size + 1 for size in shape.sizes])
        self.register_buffer("starts", counts.cumsum(0) - counts, persistent=False)
        self.category = nn.Embedding(int(counts.sum()), shape.width - head)
        self.column = nn.Parameter(torch.empty(len(shape.sizes), head).uniform_(-1, 1))

    def forward(self, codes: Tensor) -> Tensor:
        column = self.column.expand(len(codes), -1, -1)
        return torch.cat([column, self.category(codes + self.starts)], dim=2)

    @torch.no_grad()
    def fill_gap(self, place: int, size: int) -> None:
        """A gap that training has none of is the average of its column's categories, as the paper has it."""
        first = int(self.starts[place])
        if size:
            self.category.weight[first] = self.category.weight[first + 1 : first + 1 + size].mean(dim=0)


class TabTransformer(nn.Module):
    """Codes (rows, columns) and numbers (rows, numbers) become (rows, outputs)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.columns = Columns(shape) if shape.sizes else None
        self.blocks = nn.ModuleList(_block(shape) for _ in range(shape.blocks if shape.sizes else 0))
        inputs = len(shape.sizes) * shape.width + shape.numbers
        layers: list[nn.Module] = []
        before = inputs
        for times in HIDDEN:
            layers += [nn.Linear(before, times * inputs), nn.ReLU(), nn.Dropout(shape.dropout[1])]
            before = times * inputs
        self.perceptron = nn.Sequential(*layers, nn.Linear(before, shape.outputs))

    def contexts(self, codes: Tensor) -> Tensor:
        """What attention makes of the embeddings: (rows, columns, width)."""
        assert self.columns is not None
        found = self.columns(codes)
        for block in self.blocks:
            found = block(found)
        return found

    def suit_threads(self, rows: int) -> None:
        """One thread for so few rows that several would rather wait for each other, the more so on a busy machine."""
        largest = max(layer.weight.numel() for layer in self.modules() if isinstance(layer, nn.Linear))
        torch.set_num_threads(THREADS if rows * largest >= LARGE else 1)

    def forward(self, codes: Tensor, numbers: Tensor) -> Tensor:
        if self.columns is not None:
            numbers = torch.cat([self.contexts(codes).flatten(1), numbers], dim=1)
        return self.perceptron(numbers)


def _block(shape: Shape) -> nn.TransformerEncoderLayer:
    attention, other = shape.dropout
    block = nn.TransformerEncoderLayer(
        shape.width, HEADS, FEED_FORWARD * shape.width, other, activation="gelu", batch_first=True
    )
    # PyTorch's has one dropout for all of its parts.
    block.self_attn.dropout = block.dropout1.p = attention
    return block
