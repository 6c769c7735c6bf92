"""The desk: the only way to moto. Lets in one request at a time, writes down what changes something before it is
acknowledged, and at the first request does again all that was written down in a former life.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from emulator.call import Extent, Scope
from emulator.clock import Clock
from emulator.errors import HouseFault, NotBuilt
from emulator.neighbours import awspolicies
from emulator.neighbours.asked import Asked
from emulator.neighbours.http import HttpReply
from emulator.neighbours.identities import home_of, is_default_role
from emulator.neighbours.journal import Entry, Journal
from emulator.neighbours.moment import Moment
from emulator.neighbours.moto import LOCK, Moto
from emulator.neighbours.services import GLOBAL, REFUSED, SERVICES, mutates

log = logging.getLogger(__name__)


def succeeded(reply: HttpReply) -> bool:
    """Whether a reply acknowledges something."""
    return reply.status < 400


def covers(extent: Extent, asked: Asked) -> bool:
    """Whether what a request has made belongs to a part of the house: of a global service, to the account alone."""
    if extent.region and asked.service in GLOBAL:
        return False
    return extent.covers(asked.scope)


class Desk:
    """moto with a memory. Thread safe; `lock` may be held around several requests that belong together."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.lock = LOCK
        self.version = 0
        """Counts the changes; who waits for one waits at `await_change`, and never holds `lock` meanwhile."""
        self.moto = Moto()
        self.roles_made: set[tuple[str, str]] = set()
        """The accounts, by partition, whose IAM was given the default role."""
        self._changed = threading.Condition()
        self._journal = Journal(folder / "journal")
        self._clock = clock
        self.shown_metrics: dict[tuple[Scope, str], int] = {}
        """How much of each resource's points moto's CloudWatch was given, by account and region."""

    def blank(self) -> bool:
        """Whether nothing was ever changed: then no answer of moto's can differ from that of an empty account."""
        with self.lock:
            return not self.moto.holds() and self._journal.empty()

    def changed_by(self, service: str) -> bool:
        """Whether something was ever changed through a service. Never waits for moto."""
        return service in self._journal.services()

    def named(self, asked: Asked) -> Asked:
        """A request with its operation."""
        with self.lock:
            return self.moto.named(asked)

    def forward(self, asked: Asked, keep: Callable[[HttpReply], bool] = succeeded) -> HttpReply:
        """moto's answer. What changes something is in the journal before this returns, if `keep` says so."""
        with self.lock:
            self.wake()
            asked = self.named(asked)
            reason = REFUSED.get((asked.service, asked.operation))
            if reason is not None:
                raise NotBuilt(f"{SERVICES[asked.service].model} {asked.operation} is refused: {reason}.")
            if not mutates(asked.service, asked.operation):
                return self._execute(asked, Moment(self._clock.now()), None)
            return self._change(asked, keep)

    def await_change(self, seen: int, timeout: float) -> None:
        """Wait until there was a change since version `seen`, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != seen, timeout)

    def wake(self) -> None:
        """Do again what was written down, unless moto's state is ours already."""
        with self.lock:
            if not self.moto.holds():
                self.moto.take()
                self.roles_made.clear()
                self.shown_metrics.clear()
                for entry in self._journal.entries():
                    self._again(entry)

    def forget(self) -> None:
        """Forget everything, on disk too."""
        with self.lock:
            self.sleep()
            self._journal.clear()

    def forget_part(self, extent: Extent) -> None:
        """Forget what was changed in a part of the house, on disk too; the rest stays as it is."""
        with self.lock:
            self._journal.keep(lambda entry: not covers(extent, entry.asked))
            if self.moto.holds():
                self.moto.forget(extent)
            self.shown_metrics = {k: v for k, v in self.shown_metrics.items() if not extent.covers(k[0])}
            if not extent.region:
                self.roles_made = {home for home in self.roles_made if home[0] != extent.account}
        with self._changed:
            self.version += 1
            self._changed.notify_all()

    def sleep(self) -> None:
        """Let go of moto's state and of the journal's file; the next request wakes both."""
        with self.lock:
            self.moto.let_go()
            self._journal.close()

    def _change(self, asked: Asked, keep: Callable[[HttpReply], bool]) -> HttpReply:
        seed = secrets.randbits(128)
        now = Moment(self._clock.now(), seed)
        reply = self._execute(asked, now, seed)
        if keep(reply):
            try:
                self._journal.append(Entry(asked, now.now, seed, tuple(now.kept)))
            except OSError as error:
                # What moto has now done is nowhere on disk: nobody may build upon it.
                self.sleep()
                raise HouseFault(f"{asked.service} {asked.operation} could not be kept: {error}") from error
            with self._changed:
                self.version += 1
                self._changed.notify_all()
        return reply

    def _again(self, entry: Entry) -> None:
        try:
            reply = self._execute(entry.asked, Moment(entry.at, entry.seed, entry.kept), entry.seed)
        except Exception:
            log.exception("%s %s could not be done again", entry.asked.service, entry.asked.operation)
            return
        if not succeeded(reply):
            log.warning("%s %s was done again and failed: %r", entry.asked.service, entry.asked.operation, reply.body)

    def _execute(self, asked: Asked, now: Moment, seed: int | None) -> HttpReply:
        if asked.service == "iam":
            awspolicies.load(self.moto, asked)
        reply = self.moto.answer(asked, now, seed)
        if is_default_role(asked):
            self.roles_made.add(home_of(asked.scope))
        return reply
