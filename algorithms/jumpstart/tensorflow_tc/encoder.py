"""A text encoder as BERT is one (Devlin et al., 2018), and a classification of what it gives for the first piece."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

LENGTH, DROPOUT, SPREAD, EPSILON = 512, 0.1, 0.02, 1e-12
"""Of BERT: places, dropout inside, how far values begin from 0, and what keeps a norm from being divided by 0."""


class Encoder(nn.Module):
    """Scores (n, classes) of pieces (n, length); 0 is padding."""

    TOP = ("classifier.",)

    def __init__(self, form: Mapping[str, int], pieces: int, classes: int, dropout: float) -> None:
        super().__init__()
        width = form["width"]
        self.words, self.places = nn.Embedding(pieces, width), nn.Embedding(LENGTH, width)
        self.norm, self.dropout = nn.LayerNorm(width, EPSILON), nn.Dropout(DROPOUT)
        layer = nn.TransformerEncoderLayer(
            width, form["heads"], 4 * width, DROPOUT, nn.GELU(), EPSILON, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, form["layers"], enable_nested_tensor=False)
        self.pooler = nn.Sequential(nn.Linear(width, width), nn.Tanh())
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, classes))
        self._begin()

    def _begin(self) -> None:
        """Pieces and places as BERT's; products by their width, for BERT's spread is too little for small ones."""
        for name, value in self.named_parameters():
            if name.startswith(("words.", "places.")):
                nn.init.trunc_normal_(value, 0, SPREAD, -2 * SPREAD, 2 * SPREAD)
            elif value.ndim > 1:
                nn.init.xavier_uniform_(value)
            elif name.endswith("bias"):
                nn.init.zeros_(value)

    def forward(self, pieces: Tensor) -> Tensor:
        places = torch.arange(pieces.shape[1], device=pieces.device)
        begun = self.dropout(self.norm(self.words(pieces) + self.places(places)))
        found = self.layers(begun, src_key_padding_mask=pieces == 0)
        scores: Tensor = self.classifier(self.pooler(found[:, 0]))
        return scores
