"""Answering as the images of scikit-learn and XGBoost do, whose toolkit, `sagemaker-containers`, is made with Flask.

What a function returns is what a Flask view returns: text, bytes, a mapping, a response, or (body, media type).
"""

from __future__ import annotations

import json
import traceback
from typing import Any

from algorithms.common.contract import Layout
from algorithms.common.serving import Invocation, Reply
from algorithms.script_mode import arrays
from algorithms.script_mode.functions import Functions
from algorithms.script_mode.service import Service, as_bytes, body_of

HTML = "text/html; charset=utf-8"


class OlderService(Service):
    """One script in the older way."""

    def __init__(self, functions: Functions, layout: Layout) -> None:
        super().__init__(functions, layout)
        self._parameters = functions.given("execution_parameters_fn")

    def load(self, folder: str) -> Any:
        """Without any context."""
        return self.functions.model_fn(folder)

    def transform(self, invocation: Invocation) -> Reply:
        """Input, prediction, output: an unknown format is 415 on the way in, 406 on the way out."""
        content_type, accept = invocation.content_type or arrays.JSON, self.accepted(invocation)
        body = body_of(invocation, content_type)
        whole = self.functions.given("transform_fn")
        if whole:
            return replied(whole(self.model, body, content_type, accept))
        if not body and not self.functions.given("input_fn"):
            return Reply(b"", status=204)
        try:
            data = self.functions.input_fn(body, content_type)
        except Exception as error:
            return _refused(error, 415)
        prediction = self.functions.predict_fn(data, self.model)
        try:
            return replied(self.functions.output_fn(prediction, accept))
        except Exception as error:
            return _refused(error, 406)

    def failed(self, error: Exception) -> Reply:
        """The image answers with a page that says nothing; here it is what was raised."""
        return Reply(f"{type(error).__name__}: {error}".encode(), status=500)

    def execution_parameters(self) -> Reply:
        """What `execution_parameters_fn` returns."""
        return replied(self._parameters()) if self._parameters else super().execution_parameters()


def replied(result: Any) -> Reply:
    """What a function returned, as Flask turns it into an answer."""
    if isinstance(result, tuple) and len(result) == 2:
        return Reply(as_bytes(result[0]), str(result[1]))
    if isinstance(result, (str, bytes, bytearray)):
        return Reply(as_bytes(result), HTML)
    if isinstance(result, (dict, list)):
        return Reply(json.dumps(result).encode(), arrays.JSON)
    if hasattr(result, "mimetype") and hasattr(result, "headers"):
        return _response(result)
    raise TypeError(
        f"The function returned a {type(result).__name__}, which is no answer: return text or bytes, "
        "(body, media type), or a worker.Response."
    )


def _response(response: Any) -> Reply:
    """A response of the stand-in's class, or of Flask's."""
    flask = hasattr(response, "get_data")
    body = response.get_data() if flask else as_bytes(response.response or b"")
    status = response.status_code if flask else int(response.status)
    own = ("content-type", "content-length")
    further = {str(name): str(value) for name, value in dict(response.headers or {}).items() if name.lower() not in own}
    return Reply(body, response.mimetype or arrays.JSON, status, further)


def _refused(error: Exception, status: int) -> Reply:
    """The toolkit's own form; any other error goes on."""
    if not arrays.is_unsupported(error):
        raise error
    told = {"error": type(error).__name__, "error-message": str(error), "stack-trace": traceback.format_exc()}
    return Reply(json.dumps(told).encode(), arrays.JSON, status)
