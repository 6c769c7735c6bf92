"""Serving Linear Learner: the score of each record, and of classifiers the label."""

from __future__ import annotations

from pathlib import Path

from algorithms.first_party import serve
from algorithms.first_party.definition import JSON, JSONLINES, RECORDIO, Form
from algorithms.linear_learner import artifact
from algorithms.linear_learner.model import Linear

FORM = Form(writes=(JSON, JSONLINES, RECORDIO))


def load(folder: Path) -> Linear:
    """The model of a folder; UserError when it is none."""
    return artifact.read(serve.content(folder), serve.MODEL)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return serve.main(load, FORM)
