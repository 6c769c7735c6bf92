"""Serving a Random Cut Forest: one score a record, the higher the more of an anomaly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from algorithms.first_party import serve
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import JSON, JSONLINES, RECORDIO, Form
from algorithms.random_cut_forest import artifact
from algorithms.random_cut_forest.forest import Forest
from algorithms.random_cut_forest.scores import Scorer

FORM = Form(envelope="scores", writes=(JSON, JSONLINES, RECORDIO))


class Anomalies:
    """A forest behind the protocol of serving."""

    def __init__(self, forest: Forest) -> None:
        self._scorer = Scorer(forest)
        self.features = forest.features

    def predict(self, rows: Any) -> Fields:
        """The score of each row."""
        dense = rows.toarray() if hasattr(rows, "toarray") else rows
        return {"score": self._scorer.scores(dense)}


def load(folder: Path) -> Anomalies:
    """The model of a folder; UserError when it is none."""
    return Anomalies(artifact.read(serve.content(folder)))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
