"""Serving LDA: the mixture of topics of each document, which adds up to one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from algorithms.common.faults import Refusal
from algorithms.first_party import serve, wording
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import JSON, JSONLINES, RECORDIO, Form
from algorithms.lda import artifact
from algorithms.lda.inference import Inference
from algorithms.lda.topics import Topics

FORM = Form(writes=(JSON, JSONLINES, RECORDIO))


class Mixer:
    """Topics behind the protocol of serving."""

    def __init__(self, topics: Topics) -> None:
        self._inference = Inference(topics)
        self.features = int(topics.beta.shape[1])

    def predict(self, rows: Any) -> Fields:
        """The mixture (n, K)."""
        if rows.min() < 0:
            raise Refusal(400, wording.not_evaluated("a count of words is negative"))
        return {"topic_mixture": self._inference.mixtures(rows).astype(np.float32)}


def load(folder: Path) -> Mixer:
    """The model of a folder; UserError when it is none."""
    return Mixer(artifact.read(folder))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
