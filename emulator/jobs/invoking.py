"""One request of a transform job to its model server: its headers, its time limit, its further attempts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulator.jobs.batch import ALGORITHM, CLIENT, BadAnswer
from emulator.servers import InvokeFailure, ModelServer

RETRY_SECONDS = 0.2
"""Before the second attempt; doubled before each further one."""
TOLD = 4096
"""Bytes of an error's body that go to the data log."""


class Invoker:
    """Asks a model. `config` is the job's ModelClientConfig; once `given_up` is set nothing is tried again."""

    def __init__(
        self,
        server: Callable[[], ModelServer],
        headers: Mapping[str, str],
        config: Mapping[str, Any],
        given_up: threading.Event,
    ) -> None:
        self._server = server
        self._headers = headers
        self._timeout = float(config.get("InvocationsTimeoutInSeconds", 600))
        self._retries = int(config.get("InvocationsMaxRetries", 3))
        self._given_up = given_up

    def ask(self, body: bytes) -> Iterator[bytes]:
        """The answer as chunks; `BadAnswer` when there is none. What the model says is the caller's fault stays so."""
        for attempt in range(self._retries):
            try:
                return self._attempt(body)
            except BadAnswer as bad:
                if bad.failure == CLIENT or self._given_up.wait(RETRY_SECONDS * 2**attempt):
                    raise
        return self._attempt(body)

    def _attempt(self, body: bytes) -> Iterator[bytes]:
        try:
            reply, chunks = self._server().invoke_stream(body, self._headers, self._timeout)
            if 200 <= reply.status < 300:
                return _streamed(chunks)
            text = b"".join(chunks)[:TOLD].decode("utf-8", "replace")
        except InvokeFailure as failed:
            raise BadAnswer(ALGORITHM, "Unable to get response from algorithm", failed.message) from failed
        if 400 <= reply.status < 500:
            raise BadAnswer(CLIENT, f"ClientError: {reply.status}", "", "Message:", *text.splitlines())
        raise BadAnswer(ALGORITHM, f"Bad HTTP status received from algorithm: {reply.status}", *text.splitlines())


def _streamed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except InvokeFailure as failed:
        raise BadAnswer(ALGORITHM, "Unable to get response from algorithm", failed.message) from failed
