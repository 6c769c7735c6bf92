"""What both generations of the serving toolkits have in common: one model, its functions, one call at a time."""

from __future__ import annotations

import os
import threading
import traceback
from abc import ABC, abstractmethod
from typing import Any

from algorithms.common.contract import Layout
from algorithms.common.serving import Invocation, Reply
from algorithms.script_mode.arrays import ANY, JSON, TEXTS
from algorithms.script_mode.functions import Functions

WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


class Service(ABC):
    """The user's functions behind HTTP; fulfils `algorithms.common.serving.Model`.

    Scripts are written for workers that are processes, so calls take turns: WORKERS of them at a time, one without it.
    """

    def __init__(self, functions: Functions, layout: Layout) -> None:
        self.functions = functions
        self.default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON
        self._turns = threading.BoundedSemaphore(workers())
        self.model = self.load(str(layout.model))

    @abstractmethod
    def load(self, folder: str) -> Any:
        """The model of the model folder."""

    @abstractmethod
    def transform(self, invocation: Invocation) -> Reply:
        """The answer to an invocation."""

    @abstractmethod
    def failed(self, error: Exception) -> Reply:
        """The answer when `transform` raised this; its traceback is in the log already."""

    def answer(self, invocation: Invocation) -> Reply:
        """See `algorithms.common.serving.Model`."""
        with self._turns:
            try:
                return self.transform(invocation)
            except Exception as error:
                traceback.print_exc()
                return self.failed(error)

    def execution_parameters(self) -> Reply:
        """A script says what it likes; the toolkits have no default, and the service's own hold then."""
        return Reply(b"", status=404)

    def accepted(self, invocation: Invocation) -> str:
        """The media type to answer with."""
        return self.default_accept if invocation.accept in ("", ANY) else invocation.accept


def workers() -> int:
    """How many calls may be under way at a time."""
    asked = os.environ.get(WORKERS, "")
    return max(1, int(asked)) if asked.isdigit() else 1


def body_of(invocation: Invocation, content_type: str | None) -> str | bytes:
    """The body as the functions are given it."""
    return invocation.body.decode("utf-8") if content_type in TEXTS else invocation.body


def as_bytes(value: Any) -> bytes:
    """Text as UTF-8."""
    return value.encode("utf-8") if isinstance(value, str) else bytes(value)
