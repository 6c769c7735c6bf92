"""Serving a first-party model: rows in, fields out, in whatever format the caller speaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from algorithms.common import workers
from algorithms.common.contract import Layout
from algorithms.common.faults import UserError
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.first_party import answers, requests
from algorithms.first_party.answers import Fields
from algorithms.first_party.definition import Form

MODEL = "model_algo-1"
"""The file in which these images keep a model."""


class Model(Protocol):
    """A loaded model. Called from several threads at once.

    One with a method `read` makes of an invocation what its `predict` takes; the others are given rows of numbers.
    """

    features: int
    """How many columns the rows have."""

    def predict(self, rows: Any) -> Fields:
        """Rows are float32 (n, features), dense or CSR."""
        ...


class Service:
    """A model behind the images' way of asking and answering."""

    def __init__(self, model: Model, form: Form) -> None:
        self._model, self._form = model, form

    def answer(self, invocation: Invocation) -> Reply:
        """Accept first, then the body: what cannot be answered is not computed."""
        kind = answers.accepted(invocation.accept, self._form)
        return Reply(answers.encode(self._model.predict(self._rows(invocation)), kind, self._form), kind.media)

    def _rows(self, invocation: Invocation) -> Any:
        if own := getattr(self._model, "read", None):
            return own(invocation)
        return requests.rows(invocation.body, invocation.content_type, self._form.reads, self._model.features)


def main(load: Callable[[Path], Model], form: Form) -> int:
    """Serve the model of this process's base folder until SIGTERM; the exit status."""
    return run_serving(lambda: Service(load(Layout.from_environment().model), form), workers.by_cores())


def content(folder: Path, name: str = MODEL) -> bytes:
    """The file that holds a model; UserError when the archive has none."""
    path = folder / name
    if not path.is_file():
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else ""
        raise UserError(f"The model archive has no file '{name}' (it has: {found or 'nothing'}).")
    return path.read_bytes()
