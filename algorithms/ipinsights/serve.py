"""Serving IP Insights: the dot product of each pair, and with `verbose=true` both vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.serving import Invocation
from algorithms.first_party import serve
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import CSV, JSON, JSONLINES, Form
from algorithms.ipinsights import artifact, pairs
from algorithms.ipinsights.encoders import Encoders

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORM = Form(
    reads=(CSV, JSON, JSONLINES), writes=(JSON, JSONLINES), verbose=("entity_embedding", "ip_embedding"),
)  # fmt: skip


class Affinity:
    """Encoders behind the protocol of serving."""

    features = 2

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders

    def read(self, invocation: Invocation) -> NDArray[np.int64]:
        """Pairs instead of rows."""
        return pairs.asked(invocation, self._encoders.buckets, FORM.reads)

    def predict(self, rows: Any) -> Fields:
        """Of pairs."""
        entities, addresses = self._encoders.entities(rows[:, 0]), self._encoders.addresses(rows[:, 1])
        products = np.einsum("nd,nd->n", entities, addresses)
        return {"dot_product": products, "entity_embedding": entities, "ip_embedding": addresses}


def load(folder: Path) -> Affinity:
    """The model of a folder; UserError when it is none."""
    return Affinity(artifact.read(folder))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
