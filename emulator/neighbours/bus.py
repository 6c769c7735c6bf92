"""The default event bus as SageMaker uses it: what happened is told to the targets of the rules that match it.

Telling returns at once; one thread delivers, in order. While nobody has ever used EventBridge, nothing happens at all.
Rules are moto's, and so is the matching; deliveries are our own, because moto gives up at the first target it cannot
reach, and writes events in another form than AWS does.
"""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from emulator import arns
from emulator.call import Extent, Scope
from emulator.errors import SageletError
from emulator.neighbours.desk import Desk
from emulator.neighbours.targets import Undelivered, deliver

log = logging.getLogger(__name__)

SOURCE = "aws.sagemaker"
REMEMBERED = 10_000
"""Resources whose last state is remembered; beyond, a state may be told twice, which the service does as well."""

CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class Event:
    """Something that happened to a resource. `detail` is JSON; `time` in seconds since the epoch."""

    scope: Scope
    kind: str
    resource: str
    detail: Mapping[str, Any]
    time: float

    def message(self) -> dict[str, Any]:
        """The event as targets get it."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": self.kind,
            "source": SOURCE,
            "account": self.scope.account,
            "time": datetime.fromtimestamp(self.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.scope.region,
            "resources": [self.resource],
            "detail": self.detail,
        }


class Bus:
    """Takes events from any thread. `close` delivers what was told before."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._states: dict[str, tuple[str, ...]] = {}

    def is_news(self, resource: str, state: tuple[str, ...]) -> bool:
        """Whether a resource was last seen in another state; it is in this one from now on."""
        with self._lock:
            if self._states.get(resource) == state:
                return False
            if len(self._states) >= REMEMBERED:
                self._states.clear()
            self._states[resource] = state
            return True

    def has_listeners(self) -> bool:
        """Whether anybody may have made a rule, in this life or a former one. Asks nothing of moto."""
        return self._desk.changed_by("events")

    def tell(self, event: Event) -> None:
        """Deliver an event, later."""
        with self._lock:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="events", daemon=True)
                self._thread.start()
            self._events.put(event)

    def forget(self, extent: Extent) -> None:
        """Every state of the resources of a part of the house is news again."""
        with self._lock:
            kept = {arn: state for arn, state in self._states.items() if not extent.covers(_scope(arn))}
            self._states = kept

    def close(self) -> None:
        """Deliver what was told, and end."""
        with self._lock:
            self._closed, thread = True, self._thread
        if thread is not None:
            self._events.put(None)
            thread.join(CLOSE_SECONDS)

    def _work(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                self._deliver(event)
            except Exception:
                log.exception("the event %s of %s was not delivered", event.kind, event.resource)

    def _deliver(self, event: Event) -> None:
        message = event.message()
        for rule in self._rules(event.scope, message):
            for target in list(rule.targets):
                try:
                    deliver(self._desk, target, message, rule)
                except (Undelivered, SageletError) as error:
                    log.warning("the rule %s did not reach its target %s: %s", rule.name, target.get("Arn"), error)

    def _rules(self, scope: Scope, message: dict[str, Any]) -> list[Any]:
        """The enabled rules of the default bus whose pattern matches; one that only has a schedule matches nothing."""
        with self._desk.lock:
            self._desk.wake()
            bus = self._desk.moto.backend("events", scope.account, scope.region).event_buses["default"]
            return [
                rule
                for rule in list(bus.rules.values())
                if rule.state.startswith("ENABLED")
                and rule.event_pattern.get_pattern()
                and rule.event_pattern.matches_event(message)
            ]


def _scope(arn: str) -> Scope:
    parsed = arns.parse(arn)
    return Scope(parsed.account, parsed.region)
