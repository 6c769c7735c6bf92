"""What follows from a record that was written, done a little later: the trial component of a job, its lineage.

Each write marks its record in its own transaction, so that nothing is lost with the server. Marks are settled in
batches: soon after, and before anybody is answered who could see that something is missing.
"""

from __future__ import annotations

import importlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from emulator.store.links import Mark
from emulator.store.records import Record, Transaction

if TYPE_CHECKING:
    from emulator.behaviours.rooms import Rooms

log = logging.getLogger(__name__)

Writing = Callable[[Transaction], None]
"""What is to be written for one record. Made outside of the transaction, so that reading files keeps nobody waiting."""

SOON = 2.0
"""Seconds after which marks are settled that nobody has asked for: a burst of jobs is over by then."""

BATCH = 50
PAUSE = 0.01
"""Seconds between two batches in the background, in which others write."""

_SEEING = re.compile(
    "Trial|Experiment|Artifact|Association|Lineage|Context|Actions?$|Search|Tags$|Metrics$|FeatureMetadata$"
    "|^Delete(TrainingJob|ProcessingJob|ModelPackage|ModelPackageGroup|Endpoint|EndpointConfig|Model)$"
    "|^Update(ModelPackage|Endpoint)$"
)


@lru_cache(maxsize=1024)
def sees(operation: str) -> bool:
    """Whether an operation could see what follows, or takes away or changes what it follows from."""
    return _SEEING.search(operation) is not None


def note(rooms: Rooms, record: Record) -> None:
    """A record was marked: come back to it soon."""
    rooms.followers.note()


class Followers:
    """Comes back to marked records. `table`: (noun, "module:function"), function(rooms, record, fresh) -> Writing."""

    def __init__(self, rooms: Rooms, table: Iterable[tuple[str, str]]) -> None:
        self._rooms = rooms
        self._paths = dict(table)
        self._settling = threading.Lock()
        self._closing = threading.Event()
        self._pending: Callable[[], None] | None = None
        self._arming = threading.Lock()
        self._noted, self._settled = 1, 0
        """How often was noted, also by a former life, and how often when nothing was left to do."""

    def note(self) -> None:
        """Settle the marks soon. Called when the mark is committed: so it counts also where two count at once."""
        self._noted += 1
        if self._pending is not None or self._closing.is_set():
            return
        with self._arming:
            if self._pending is None:
                clock = self._rooms.clock
                self._pending = clock.call_at(clock.now() + SOON, self._in_the_background)

    def settle(self, pause: float = 0.0) -> None:
        """Do all that follows from what was written until now."""
        noted = self._noted
        if noted == self._settled:
            return
        while self._marks():
            if self._closing.is_set():
                return
            with self._settling:
                self._settle_batch()
            if pause:
                self._closing.wait(pause)
        self._settled = noted

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Nothing follows from anything in the block: what is deleted there does not come back."""
        with self._settling:
            yield

    def close(self) -> None:
        """Come back to nothing more; marks stay for the next start."""
        self._closing.set()
        with self._arming:
            if self._pending is not None:
                self._pending()
        with self._settling:
            pass

    def _in_the_background(self) -> None:
        with self._arming:
            self._pending = None
        self.settle(PAUSE)

    def _marks(self) -> bool:
        return self._rooms.resources.reading(lambda transaction: bool(transaction.marked(1)))

    def _settle_batch(self) -> None:
        def read(transaction: Transaction) -> list[tuple[Mark, Record | None]]:
            marks = transaction.marked(BATCH)
            records = transaction.get_by_arns([mark.arn for mark in marks])
            return [(mark, records.get(mark.arn)) for mark in marks]

        marked = self._rooms.resources.reading(read)
        work = [(mark, self._writing(mark, record)) for mark, record in marked]
        try:
            self._write(work)
        except Exception:
            for one in work:
                self._write_alone(*one)

    def _writing(self, mark: Mark, record: Record | None) -> Writing:
        if record is None or record.kind not in self._paths:
            return lambda transaction: None
        module, _, name = self._paths[record.kind].partition(":")
        try:
            writing: Writing = getattr(importlib.import_module(module), name)(self._rooms, record, mark.fresh)
        except Exception:
            log.exception("What follows from %s %s is not known", record.kind, record.key)
            return lambda transaction: None
        return writing

    def _write(self, work: list[tuple[Mark, Writing]]) -> None:
        def write(transaction: Transaction) -> None:
            for mark, writing in work:
                writing(transaction)
                transaction.unmark(mark)

        self._rooms.resources.together(write)

    def _write_alone(self, mark: Mark, writing: Writing) -> None:
        """A record of which nothing can follow must not keep the others from it."""
        try:
            self._write([(mark, writing)])
        except Exception:
            log.exception("What follows from %s was not written", mark.arn)
            self._write([(mark, lambda transaction: None)])
