"""Numbers out of a job's log: the MetricDefinitions applied to lines as they come."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulator.ports import LogLine, Logs, Metrics, Point

MATCH_SECONDS = 0.5
"""A user's expression that takes longer on one line is given up for that line."""


@dataclass(frozen=True)
class LogStream:
    """Where a job logs."""

    group: str
    name: str


@dataclass(frozen=True)
class Definition:
    """One metric: its name, its compiled expression, and a text that every matching line contains."""

    name: str
    pattern: Any
    literal: str


def definitions(wanted: Iterable[Mapping[str, str]]) -> list[Definition]:
    """The MetricDefinitions of a job, compiled; `ValueError` names the expression that is none."""
    import regex  # Its matching can be timed out, and leaves other threads running: a user's expression may be evil.

    compiled = []
    for item in wanted:
        try:
            pattern = regex.compile(item["Regex"])
        except regex.error as error:
            text = f"Invalid regular expression {item['Regex']!r} for metric {item['Name']}: {error}"
            raise ValueError(text) from error
        compiled.append(Definition(item["Name"], pattern, literal(item["Regex"])))
    return compiled


@lru_cache(maxsize=4096)
def literal(expression: str) -> str:
    """The longest text that a match must contain, or ``: cheap to look for before the expression is tried.

    Errs on the side of ``: an expression with options, coded characters or alternatives outside of groups has none.
    """
    runs, run, depth = [], "", 0
    for match in _TOKEN.finditer(expression):
        token = match.group()
        if _UNSURE.match(token) or (token == "|" and depth == 0):
            return ""
        depth += (token == "(") - (token == ")")
        if depth == 0 and _PLAIN.match(token):
            run += token[-1]
            continue
        runs.append(run[:-1] if token[0] in "*?{" else run)
        run = ""
    return max([*runs, run], key=len)


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?|\{[^}]*\}|.", re.DOTALL)
_UNSURE = re.compile(r"\\[0-9xuUN]|\(\?|\[.+\[", re.DOTALL)
_PLAIN = re.compile(r"\\[^a-zA-Z0-9]$|[^\\.^$*+?{}()\[|]$", re.DOTALL)


BATCH = 1000
"""Points that are held before they are handed on."""


class Collector:
    """Reads a job's stream on from where it was, and hands points to the metrics."""

    def __init__(self, logs: Logs, metrics: Metrics, stream: LogStream, resource: str) -> None:
        self._logs = logs
        self._metrics = metrics
        self._stream = stream
        self._resource = resource
        self._lines = 0
        self._next = 0.0
        self._last: dict[str, Point] = {}
        self._known: frozenset[Point] = frozenset()

    def begin_again(self) -> None:
        """The log of an adopted job is read from its beginning: what a former life took in is not taken in twice."""
        self._known = frozenset(self._metrics.read(self._resource))

    def now_and_then(self, wanted: Sequence[Definition], period: float) -> None:
        """`collect`, but not more often than once in `period` seconds."""
        if time.monotonic() >= self._next:
            self.collect(wanted)
            self._next = time.monotonic() + period

    def collect(self, wanted: Sequence[Definition], final: bool = False) -> None:
        """Take in the lines that are new; the last one, which may be half a line, only when it is `final`."""
        if not wanted:
            return
        fresh: list[Point] = []
        for line in self._whole(final):
            self._lines += 1
            fresh += points(line, wanted, self._resource)
            if len(fresh) >= BATCH:
                self._take(fresh)
                fresh = []
        self._take(fresh)

    def _whole(self, final: bool) -> Iterator[LogLine]:
        """Line by line: the log of an adopted job may be as large as logs may be."""
        held: LogLine | None = None
        for line in self._logs.read(self._stream.group, self._stream.name, self._lines):
            if held is not None:
                yield held
            held = line
        if final and held is not None:
            yield held

    def _take(self, fresh: list[Point]) -> None:
        self._last |= {point.name: point for point in fresh}
        fresh = [point for point in fresh if point not in self._known]
        if fresh:
            self._metrics.append(fresh)

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: the last value of each metric."""
        return [{"MetricName": p.name, "Value": p.value, "Timestamp": p.timestamp} for p in self._last.values()]


def points(line: LogLine, wanted: Iterable[Definition], resource: str) -> list[Point]:
    """The numbers in one line."""
    found = []
    for definition in wanted:
        if definition.literal and definition.literal not in line.message:
            continue
        for text in _matches(definition, line.message):
            value = _number(text)
            if value is not None:
                found.append(Point(resource, definition.name, value, line.timestamp / 1000))
    return found


def _matches(definition: Definition, text: str) -> list[str]:
    group = 1 if definition.pattern.groups else 0
    try:
        return [m.group(group) for m in definition.pattern.finditer(text, timeout=MATCH_SECONDS, concurrent=True)]
    except TimeoutError:
        return []


def _number(text: str | None) -> float | None:
    """The number that a group caught; one that catches all but blanks goes on after a TAB, which reads as `#011`."""
    try:
        value = float((text or "").split("#011")[0])
    except ValueError:
        return None
    return value if math.isfinite(value) else None
