"""Holds the look of a waiter until what it waits for has come.

The waiters of all AWS SDKs sleep 30 to 120 seconds between two looks, and an activated Python alone looks more often
(`sagelet.hook`). SDKs tell in their user agent that a waiter asks. Its look is held for some seconds, so that a short
job's waiter returns with the job; one that comes back soon by itself is not held again, so that a caller's own
`WaiterConfig` takes the time that it says.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from emulator.call import Answer, Call
from emulator.spec import waiters

WAITER = re.compile(r"(?:^| )m/(?:[^ ]*,)?B(?:[, ]|$)")
"""A user agent's list of features, with the one of waiters in it (botocore's `useragent.py`; all share the list)."""

HELD = 16
"""Looks that may be held at the same time: each has a thread of the server."""

SOON = 5.0
"""Seconds: who looks again sooner is in no need of being held."""

REMEMBERED = 1000
"""Looks of which is remembered when they were answered."""

LOOKS = (0.02, 0.05)
"""Seconds from one look of our own to the next; the last stays."""


def waits(headers: Mapping[str, str]) -> bool:
    """Whether a waiter sent this request."""
    return WAITER.search(headers.get("user-agent", "")) is not None


class Patience:
    """Answers the looks of waiters, each within `seconds`; at once when `closing` is set."""

    def __init__(self, seconds: float, closing: threading.Event, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._closing = closing
        self._now = now
        self._places = threading.BoundedSemaphore(HELD)
        self._answered: OrderedDict[tuple[object, ...], float] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, call: Call, dispatch: Callable[[Call], Answer]) -> Answer:
        """The answer to a call: the first one that ends a wait, or that of the last moment. Errors end every wait."""
        answer = dispatch(call)
        ends = waiters.ends(call.service).get(call.operation, ()) if self._seconds and waits(call.headers) else ()
        if not ends or any(end(answer) for end in ends):
            return answer
        look = (call.scope, call.operation, str(sorted(call.params.items())))
        if self._came_soon(look) or not self._places.acquire(blocking=False):
            return answer
        try:
            until, looks = self._now() + self._seconds, 0
            while self._now() < until and not self._closing.wait(LOOKS[min(looks, len(LOOKS) - 1)]):
                looks += 1
                answer = dispatch(call)
                if any(end(answer) for end in ends):
                    return answer
            self._remember(look)
            return answer
        finally:
            self._places.release()

    def _came_soon(self, look: tuple[object, ...]) -> bool:
        with self._lock:
            before = self._answered.get(look)
        if before is None or self._now() - before >= SOON:
            return False
        self._remember(look)
        return True

    def _remember(self, look: tuple[object, ...]) -> None:
        with self._lock:
            self._answered[look] = self._now()
            self._answered.move_to_end(look)
            while len(self._answered) > REMEMBERED:
                self._answered.popitem(last=False)
