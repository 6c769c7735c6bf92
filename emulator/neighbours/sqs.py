"""SQS's long polling: waits here, outside of the desk, so that a waiting receiver holds up nobody."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from emulator.neighbours.asked import QUERY, Asked
from emulator.neighbours.http import HttpReply

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

LONGEST = 20
LOOK = 0.5
"""Seconds after which a waiter looks again though nobody sent anything: messages also appear with time."""


def receive_message(front: Neighbours, asked: Asked) -> HttpReply:
    """moto's answer without waiting, again and again until there is a message or the time is over.

    An answer without messages is not written down: receivers that poll must not let the journal grow.
    """
    end = time.monotonic() + _wait(front, asked)
    at_once = _without_waiting(asked)
    while True:
        seen = front.desk.version
        reply = front.desk.forward(at_once, keep=_has_messages)
        left = end - time.monotonic()
        if reply.status >= 400 or _has_messages(reply) or left <= 0 or front.closed.is_set():
            return reply
        front.desk.await_change(seen, min(LOOK, left))


def _has_messages(reply: HttpReply) -> bool:
    body = reply.body if isinstance(reply.body, bytes) else b""
    return reply.status == 200 and (b'"Messages"' in body or b"<Message>" in body)


def _wait(front: Neighbours, asked: Asked) -> float:
    value = asked.params().get("WaitTimeSeconds")
    text = str(_queue_wait(front, asked) if value is None else value)
    return float(text) if text.isdigit() and int(text) <= LONGEST else 0.0


def _queue_wait(front: Neighbours, asked: Asked) -> int:
    """How long the queue itself lets receivers wait; 0 for a queue that does not exist."""
    url = str(asked.params().get("QueueUrl", asked.path))
    with front.desk.lock:
        front.desk.wake()
        queues = front.desk.moto.backend("sqs", asked.scope.account, asked.scope.region).queues
        queue = queues.get(url.rpartition("/")[2])
        return int(getattr(queue, "receive_message_wait_time_seconds", 0) or 0)


def _without_waiting(asked: Asked) -> Asked:
    params = asked.params()
    value = params.get("WaitTimeSeconds")
    if value is not None and (not str(value).lstrip("-").isdigit() or not 0 <= int(value) <= LONGEST):
        return asked
    if asked.protocol == QUERY:
        return replace(asked, body=urlencode({**params, "WaitTimeSeconds": "0"}).encode(), query="")
    return asked.with_params(WaitTimeSeconds=0)
