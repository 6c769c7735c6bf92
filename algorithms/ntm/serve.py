"""Serving NTM: the weights of topics of each document, which add up to one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from algorithms.common.faults import Refusal
from algorithms.first_party import serve, wording
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import JSON, JSONLINES, RECORDIO, Form
from algorithms.ntm import artifact
from algorithms.ntm.network import Network

FORM = Form(writes=(JSON, JSONLINES, RECORDIO))


class Weigher:
    """A network behind the protocol of serving."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.features = network.shape.words

    def predict(self, rows: Any) -> Fields:
        """The weights (n, K)."""
        if rows.min() < 0:
            raise Refusal(400, wording.not_evaluated("a count of words is negative"))
        return {"topic_weights": self._network.mixtures(rows).astype(np.float32)}


def load(folder: Path) -> Weigher:
    """The model of a folder; UserError when it is none."""
    return Weigher(artifact.read(folder))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
