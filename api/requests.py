"""The last requests, as a ring in memory: what was asked, by whom, how it ended, how long it took; and counters.

Noting one costs microseconds. Our own pages are not noted.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from api.wire import WireReply
from emulator import naming, spec
from emulator.clock import Clock

if TYPE_CHECKING:
    from api.app import Exchange

KINDS = 2000
"""How many operations are counted by their names; clients may invent names."""

_CODE = re.compile(rb"<Code>([\w.:#-]{1,100})</Code>|\"__type\"\s*:\s*\"([^\"]{1,200})\"")


class Entry(NamedTuple):
    """One request. `time` is the house's, in seconds; `milliseconds` until its reply began; `name` what it is about."""

    number: int
    time: float
    service: str
    operation: str
    account: str
    region: str
    status: int
    code: str
    milliseconds: float
    request_id: str
    name: str


@dataclass(frozen=True)
class Filter:
    """Which requests are asked for. Names are patterns (`*`, `?`), `status` is a number or a class such as `4xx`."""

    service: str = "*"
    operation: str = "*"
    name: str = "*"
    account: str = "*"
    region: str = "*"
    code: str = "*"
    status: str = ""
    since: float = 0.0
    after: int = 0

    def __call__(self, entry: Entry) -> bool:
        """Whether a request is one of them."""
        return (
            entry.number > self.after
            and entry.time >= self.since
            and (not self.status or _has_status(self.status, entry.status))
            and all(fnmatchcase(getattr(entry, name), getattr(self, name)) for name in PATTERNS)
        )


PATTERNS = ("service", "operation", "name", "account", "region", "code")


class RequestLog:
    """The last `size` requests. Thread safe."""

    def __init__(self, size: int, clock: Clock) -> None:
        self.size = size
        self._clock = clock
        self._ring: deque[Entry] = deque(maxlen=size)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[tuple[str, str]] = Counter()

    def note(self, exchange: Exchange, reply: WireReply, seconds: float) -> None:
        """Remember a request that was answered."""
        identity = exchange.identity
        service, account, region = "", "", ""
        if identity is not None:
            service, account, region = identity.service, identity.scope.account, identity.scope.region
        operation = exchange.operation.name if exchange.operation is not None else exchange.operation_name
        code = "" if reply.status < 400 else exchange.code or _code(reply)
        milliseconds = round(seconds * 1000, 3)
        with self._lock:
            key = (service, operation)
            if key not in self._counts and len(self._counts) >= KINDS:
                key = (service, "")
            self._counts[key] += 1
            if code:
                self._errors[key] += 1
            # In one place with the number: whoever reads on behind a number misses none.
            entry = Entry(
                next(self._numbers), self._clock.now(), service, operation, account, region,
                reply.status, code, milliseconds, exchange.request_id, subject(exchange),
            )  # fmt: skip
            self._ring.append(entry)

    def select(self, wanted: Callable[[Entry], bool], limit: int) -> list[Entry]:
        """The last `limit` requests that are wanted, oldest first."""
        with self._lock:
            kept = list(self._ring)
        found: list[Entry] = []
        for entry in reversed(kept):
            if len(found) >= limit:
                break
            if wanted(entry):
                found.append(entry)
        return found[::-1]

    def counters(self) -> list[dict[str, Any]]:
        """How often each operation was asked since the log was last emptied, and how often it ended in an error."""
        with self._lock:
            rows = sorted(self._counts.items())
            return [
                {
                    "service": service,
                    "operation": operation,
                    "count": number,
                    "errors": self._errors[service, operation],
                }
                for (service, operation), number in rows
            ]

    def clear(self, forgotten: Callable[[Entry], bool] | None = None) -> None:
        """Forget everything; or (with a function) those requests alone, and no counter."""
        with self._lock:
            kept = [] if forgotten is None else [entry for entry in self._ring if not forgotten(entry)]
            self._ring.clear()
            self._ring.extend(kept)
            if forgotten is None:
                self._counts.clear()
                self._errors.clear()


def subject(exchange: Exchange) -> str:
    """What a request is about, as far as it was understood."""
    identity, params = exchange.identity, exchange.params
    if identity is None or params is None:
        return exchange.subject
    if identity.service == "s3":
        return "/".join(str(params[name]) for name in ("Bucket", "Key") if name in params)[: naming.LONGEST]
    return naming.subject(_names(identity.service, identity.operation), params)


@cache
def _names(service: str, operation: str) -> tuple[str, ...]:
    """The members that name the resource of an operation: the required ones first."""
    shape = spec.load(service).operation_model(operation).input_shape
    members = [] if shape is None else [*shape.required_members, *shape.members]
    return naming.candidates(operation, dict.fromkeys(members))


def _code(reply: WireReply) -> str:
    """The code of an error in whatever protocol: of one that was not made here."""
    for name, value in reply.headers.items():
        if name.lower() == "x-amzn-errortype":
            return str(value).partition(":")[0]
    match = _CODE.search(reply.body[:4096]) if isinstance(reply.body, bytes) else None
    found = (match[1] or match[2]).decode("utf-8", "replace") if match else ""
    return found.rpartition("#")[2] or str(reply.status)


def _has_status(wanted: str, status: int) -> bool:
    return str(status) == wanted or (wanted[1:] == "xx" and str(status)[0] == wanted[0])
