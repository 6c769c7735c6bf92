"""Serving factorization machines: a score, and of a binary classifier the label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from algorithms.factorization_machines import artifact
from algorithms.factorization_machines.machine import Machine
from algorithms.first_party import serve
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import JSON, JSONLINES, RECORDIO, Form

FORM = Form(reads=(JSON, JSONLINES, RECORDIO), writes=(JSON, JSONLINES, RECORDIO))


class Scorer:
    """A machine behind the protocol of serving."""

    def __init__(self, machine: Machine, binary: bool) -> None:
        self._machine, self._binary = machine, binary
        self.features = int(machine.v.shape[0])

    def predict(self, rows: Any) -> Fields:
        """The score; of a classifier the probability of 1, and the label at one half."""
        scores = self._machine.scores(rows)
        if not self._binary:
            return {"score": scores}
        chances = expit(scores)
        return {"score": chances, "predicted_label": (chances > 0.5).astype(np.int64)}


def load(folder: Path) -> Scorer:
    """The model of a folder; UserError when it is none."""
    return Scorer(*artifact.read(folder))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
