"""Serving as the XGBoost container does it: any of its artifacts, its formats, its status codes.

With a script of the user's (SAGEMAKER_PROGRAM, or one in the model) that script does it.
"""

from __future__ import annotations

import os
from typing import Any

from algorithms import catalog
from algorithms.common import content_types, workers
from algorithms.common.contract import Layout
from algorithms.common.faults import Refusal
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.script_mode.serve import wanted
from algorithms.xgboost import answers, library, model, requests


class Service:
    """An ensemble behind the container's way of asking and answering, for the image's version."""

    def __init__(self, ensemble: model.Ensemble, version: tuple[int, ...]) -> None:
        self._ensemble = ensemble
        self._older = version < answers.ONE_LINE_PER_RECORD_SINCE
        self._batch = bool(os.environ.get("SAGEMAKER_BATCH"))
        self._default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or answers.CSV
        chosen = os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "")
        self._keys = [key for key in chosen.replace(" ", "").lower().split(",") if key]

    def answer(self, invocation: Invocation) -> Reply:
        """Body, then prediction, then Accept: errors come in the container's order."""
        if not invocation.body:
            return Reply(b"", status=204)
        rows = requests.rows(invocation.body, invocation.content_type, self._ensemble.num_features)
        try:
            predictions = self._ensemble.predict(rows)
        except Exception as error:
            raise Refusal(400, f"Unable to evaluate payload provided: {error}") from error
        accept = self._accept(invocation.accept)
        return Reply(self._encode(predictions, accept), accept)

    def _accept(self, header: str) -> str:
        if self._older and not self._keys:
            return answers.CSV
        chosen = content_types.choose(header, answers.SUPPORTED, self._default)
        if not chosen:
            raise Refusal(
                406,
                f"Accept type {header} is not supported. Please use supported accept types: {list(answers.SUPPORTED)}.",
            )
        return chosen

    def _encode(self, predictions: Any, accept: str) -> bytes:
        if self._keys:
            ensemble = self._ensemble
            content = answers.select(predictions, self._keys, ensemble.objective, ensemble.num_class)
            return answers.selected(content, self._keys, accept, self._batch)
        if self._batch:
            return answers.batch(predictions)
        return answers.comma_joined(predictions) if self._older else answers.plain(predictions, accept)


def load() -> Service:
    """The service of this process's model folder and image."""
    version = catalog.get("xgboost").version(os.environ.get("SAGELET_IMAGE", ""))
    return Service(model.load(Layout.from_environment().model, model.wants_ensemble()), version)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    if wanted(Layout.from_environment()):
        from algorithms.xgboost import scripted

        return scripted.main()
    library.do_without_pandas()
    return run_serving(load, workers.by_cores())
