"""Serving k-NN: the predicted label, and with `verbose=true` the nearest labels and their distances."""

from __future__ import annotations

from algorithms.first_party import serve
from algorithms.first_party.definition import JSON, JSONLINES, RECORDIO, Form
from algorithms.knn.model import load

FORM = Form(writes=(JSON, JSONLINES, RECORDIO), verbose=("distances", "labels"))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
