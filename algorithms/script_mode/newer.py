"""Answering as the images of PyTorch do, whose toolkit is `sagemaker-inference` behind TorchServe."""

from __future__ import annotations

import json
import traceback
from typing import Any

from algorithms.common.serving import Invocation, Reply
from algorithms.script_mode.context import Context
from algorithms.script_mode.functions import call
from algorithms.script_mode.service import Service, as_bytes, body_of


class NewerService(Service):
    """One script in the newer way: each function may take the context as a further argument."""

    def load(self, folder: str) -> Any:
        """With what the script may do before and after it."""
        context = Context(folder)
        before, after = self.functions.given("pre_model_fn"), self.functions.given("model_warmup_fn")
        if before:
            call(before, (folder,), context)
        model = call(self.functions.model_fn, (folder,), context)
        if after:
            call(after, (folder, model), context)
        self._folder = folder
        return model

    def transform(self, invocation: Invocation) -> Reply:
        """Input, prediction, output, or all at once."""
        context = Context(self._folder, invocation)
        content_type, accept = invocation.content_type or None, self.accepted(invocation)
        body = body_of(invocation, content_type)
        whole = self.functions.given("transform_fn")
        if whole:
            result = call(whole, (self.model, body, content_type, accept), context)
        else:
            data = call(self.functions.input_fn, (body, content_type), context)
            prediction = call(self.functions.predict_fn, (data, self.model), context)
            result = call(self.functions.output_fn, (prediction, accept), context)
        return self.replied(result, accept, context)

    def replied(self, result: Any, accept: str, context: Context) -> Reply:
        """A pair is (body, media type); what is neither text nor bytes goes out as JSON."""
        if isinstance(result, tuple):
            result, accept = result[:2]
        body = as_bytes(result) if isinstance(result, (str, bytes, bytearray)) else json.dumps(result).encode()
        return Reply(body, context.content_type or accept, context.status or 200, context.answered)

    def failed(self, error: Exception) -> Reply:
        """500, or the status of an error of the toolkit's own kind; the message and the traceback."""
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        status = getattr(error, "status_code", 500) if _of_the_toolkit(error) else 500
        message = getattr(error, "message", str(error)) if _of_the_toolkit(error) else str(error)
        return Reply(f"{message or 'Invalid Request'}\n{text}".encode(), status=int(status))


def _of_the_toolkit(error: Exception) -> bool:
    return any(kind.__name__ == "BaseInferenceToolkitError" for kind in type(error).__mro__)
