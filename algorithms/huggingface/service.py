"""Answering as the images of Hugging Face do: every error is status 400, with the model server's own body."""

from __future__ import annotations

import json
from typing import Any

from algorithms.common.contract import Layout
from algorithms.common.serving import Invocation, Reply
from algorithms.script_mode.arrays import ANY, JSON
from algorithms.script_mode.context import Context
from algorithms.script_mode.functions import Functions
from algorithms.script_mode.newer import NewerService
from algorithms.script_mode.service import as_bytes


class PipelineService(NewerService):
    """A pipeline, or what the script's functions make of it."""

    def __init__(self, functions: Functions, layout: Layout) -> None:
        super().__init__(functions, layout)

    def accepted(self, invocation: Invocation) -> str:
        """JSON by default; SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT does not count here."""
        return JSON if invocation.accept in ("", ANY) else invocation.accept

    def replied(self, result: Any, accept: str, context: Context) -> Reply:
        """What is neither text nor bytes goes out as JSON, a pair too."""
        body = as_bytes(result) if isinstance(result, (str, bytes, bytearray)) else json.dumps(result).encode()
        return Reply(body, context.content_type or accept, context.status or 200, context.answered)

    def failed(self, error: Exception) -> Reply:
        """The body that the model server makes of a PredictionException."""
        told = {"code": 400, "type": "InternalServerException", "message": str(error)}
        return Reply((json.dumps(told, indent=2) + "\n").encode(), JSON, 400)
