"""Serving an ONNX model: the answer comes in the question's format unless Accept says otherwise."""

from __future__ import annotations

import os

from algorithms.common import content_types
from algorithms.common.contract import Layout, log
from algorithms.common.faults import Refusal
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.onnx_host import answers, requests
from algorithms.onnx_host.model import OnnxModel, find


class Service:
    """A model behind the formats."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self._default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")

    def answer(self, invocation: Invocation) -> Reply:
        """Raises Refusal: 415 and 406 for formats, 400 for data that does not fit the model."""
        given, style = requests.read(invocation.body, invocation.content_type, self._model.inputs)
        accept = self._accept(invocation)
        return Reply(answers.encode(self._model.run(given), accept, style), accept)

    def _accept(self, invocation: Invocation) -> str:
        asked = content_types.parse(invocation.content_type).format
        same = next(media for media in requests.ACCEPTED if content_types.FORMATS[media] == asked)
        chosen = content_types.choose(invocation.accept, requests.ACCEPTED, self._default or same)
        if chosen not in answers.WRITERS:
            wanted = invocation.accept or self._default
            raise Refusal(406, f"Accept '{wanted}' is not supported. Supported are: {', '.join(requests.ACCEPTED)}.")
        return chosen


def load() -> Service:
    """The service of this process's model folder."""
    path = find(Layout.from_environment().model)
    model = OnnxModel(path)
    log(f"Loaded {path}: {'; '.join(map(str, model.inputs))}; outputs: {', '.join(model.outputs)}")
    return Service(model)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run_serving(load)
