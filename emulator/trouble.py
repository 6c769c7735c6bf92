"""What is to go wrong on purpose: rules that strike requests or jobs, counted, by chance that can be repeated.

A rule of an API kind strikes requests (in `api`), one of a job kind what runs (through `ports.Trouble`). Rules are kept
in memory alone: a server that is started anew is well.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from emulator import ids
from emulator.call import Scope
from emulator.errors import NotFound, Validation
from emulator.ports import Strike

API_KINDS = ("latency", "throttle", "error")
JOB_KINDS = ("capacity", "job-failure", "spot-interruption")
PATTERNS = ("service", "operation", "name", "account", "region")

USED: Mapping[str, tuple[str, ...]] = {
    "latency": ("seconds",),
    "throttle": (),
    "error": ("code", "message", "status"),
    "capacity": (),
    "job-failure": ("reason", "seconds"),
    "spot-interruption": ("seconds",),
}
"""What each kind uses of a rule's members besides the patterns and the chance."""

NEEDED = (("latency", "seconds"), ("error", "code"), ("job-failure", "reason"))
LONGEST = 300.0
"""Seconds of a latency: a request that waits holds a thread."""


@dataclass(frozen=True)
class Subject:
    """What may be struck: a request, or (as the operation that made it) a job or an endpoint."""

    service: str
    operation: str
    name: str
    scope: Scope


@dataclass(frozen=True)
class Rule:
    """One rule. The patterns know `*` and `?`; `times` is how often it strikes, 0 without end; `probability` is drawn
    from chance that begins with `seed`. What the other members mean, `USED` and the extension API say."""

    kind: str
    id: str = ""
    service: str = "*"
    operation: str = "*"
    name: str = "*"
    account: str = "*"
    region: str = "*"
    probability: float = 1.0
    times: int = 0
    seed: int = 0
    seconds: float = 0.0
    code: str = ""
    message: str = ""
    status: int = 0
    reason: str = ""

    def concerns(self, subject: Subject) -> bool:
        """Whether the patterns fit."""
        found = {**vars(subject), "account": subject.scope.account, "region": subject.scope.region}
        return all(fnmatchcase(found[pattern], getattr(self, pattern)) for pattern in PATTERNS)


def made(given: Mapping[str, Any]) -> Rule:
    """A rule of the members that a caller gave; `Validation` names the first that cannot be."""
    kind = given.get("kind", "")
    if kind not in USED:
        raise Validation(f"kind is {kind!r}; it must be one of {', '.join(USED)}.")
    own = {name for names in USED.values() for name in names}
    for name in given:
        if name in own and name not in USED[kind]:
            raise Validation(f"A rule of kind {kind} has no {name}.")
    for needing, name in NEEDED:
        if kind == needing and not given.get(name):
            raise Validation(f"A rule of kind {kind} needs {name}.")
    rule = Rule(**{"seed": secrets.randbits(32), **given})
    _within("probability", rule.probability, 0.0, 1.0)
    _within("times", rule.times, 0, 1_000_000)
    _within("seconds", rule.seconds, 0.0, LONGEST if kind == "latency" else 1e8)
    if rule.status:
        _within("status", rule.status, 400, 599)
    return rule


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Validation(f"{name} is {value}; it must be from {least:g} to {most:g}.")


@dataclass
class _Kept:
    rule: Rule
    chance: random.Random
    seen: int = 0
    hits: int = 0

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self.rule), "seen": self.seen, "hits": self.hits}

    def strikes(self, subject: Subject) -> bool:
        """Whether it strikes now; counted."""
        rule = self.rule
        if (rule.times and self.hits >= rule.times) or not rule.concerns(subject):
            return False
        self.seen += 1
        if rule.probability < 1.0 and self.chance.random() >= rule.probability:
            return False
        self.hits += 1
        return True


@dataclass
class TroubleBook:
    """The rules of a house. Thread safe. The adapter of `ports.Trouble`."""

    requests: bool = False
    """Whether any rule may strike requests: asked at each of them."""
    work: bool = False
    """Whether any rule may strike jobs or endpoints."""
    _kept: list[_Kept] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, rule: Rule) -> dict[str, Any]:
        """Keep a rule, which gets an id; the rule as `all` shows it."""
        kept = _Kept(replace(rule, id=f"fault-{ids.short_id(8)}"), random.Random(rule.seed))
        with self._lock:
            self._change([*self._kept, kept])
            return kept.shown()

    def all(self) -> list[dict[str, Any]]:
        """All rules as JSON, with how often each was concerned (`seen`) and struck (`hits`)."""
        with self._lock:
            return [kept.shown() for kept in self._kept]

    def remove(self, name: str) -> dict[str, Any]:
        """Forget a rule by its id; the rule as it was. `NotFound` when there is none."""
        with self._lock:
            found = [kept for kept in self._kept if kept.rule.id == name]
            if not found:
                known = ", ".join(kept.rule.id for kept in self._kept)
                raise NotFound(f"There is no fault rule {name!r}; there are: {known or 'none'}.")
            self._change([kept for kept in self._kept if kept not in found])
            return found[0].shown()

    def clear(self, forgotten: Callable[[Rule], bool] = lambda rule: True) -> None:
        """Forget all rules, or those that the function chooses."""
        with self._lock:
            self._change([kept for kept in self._kept if not forgotten(kept.rule)])

    def strike_request(self, subject: Subject) -> tuple[float, Rule | None]:
        """What happens to a request: the seconds that it waits, and the rule that lets it fail, if one does."""
        seconds = 0.0
        with self._lock:
            for kept in self._kept:
                if kept.rule.kind in API_KINDS and kept.strikes(subject):
                    if kept.rule.kind != "latency":
                        return seconds, kept.rule
                    seconds += kept.rule.seconds
        return seconds, None

    def strike(self, kind: str, operation: str, scope: Scope, name: str) -> Strike | None:
        """See `ports.Trouble`."""
        subject = Subject("sagemaker", operation, name, scope)
        with self._lock:
            for kept in self._kept:
                if kept.rule.kind == kind and kept.strikes(subject):
                    return Strike(kept.rule.id, kept.rule.seconds, kept.rule.reason)
        return None

    def _change(self, kept: list[_Kept]) -> None:
        self._kept = kept
        self.requests = any(each.rule.kind in API_KINDS for each in kept)
        self.work = any(each.rule.kind not in API_KINDS for each in kept)
