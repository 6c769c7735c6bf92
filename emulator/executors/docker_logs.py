"""From the engine's stream of log entries to lines of a log file, without losing or doubling any over a restart.

The engine keeps every entry until the container is removed, in one order. So a cursor counts the entries that were
written, and a follower that starts again skips as many. Entries written after the cursor's last update (the server
was killed between the two writes) are recognised in the log's own tail.

An enormous log is different: the engine drops the oldest entries and may send some twice. Then the count says nothing:
the first entry has another stamp than before, and stamps decide.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

from emulator.ports import RunSpec

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d)) ?")


WATCHFUL_BYTES = 64 << 20
"""From here on entries may come twice: well below the size at which the engine begins another file."""

RECENT = 1 << 16
MISSING = "Sagelet: lines are missing here. The program wrote more than the Docker Engine keeps of a log."


def split_entry(entry: bytes) -> tuple[int, bytes]:
    """`2026-01-31T12:00:00.5Z text` as milliseconds since the epoch and the text; an entry without a stamp is now."""
    moment, text = _take_apart(entry)
    return moment // 1_000_000, text


def _take_apart(entry: bytes) -> tuple[int, bytes]:
    """(nanoseconds since the epoch, text)."""
    found = _STAMP.match(entry)
    if found is None:
        return int(datetime.now(timezone.utc).timestamp() * 1e9), entry
    second, fraction, sign, hours, minutes = found.groups()
    moment = datetime.fromisoformat(second.decode()).replace(tzinfo=timezone.utc)
    if sign is not None:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        moment -= offset if sign == b"+" else -offset
    return int(moment.timestamp()) * 1_000_000_000 + int((fraction or b"0").ljust(9, b"0")[:9]), entry[found.end() :]


class LogWriter:
    """Takes the entries of one container from the first on, at every (re)connection, and appends what is new.

    `watchful` is how many bytes come before entries are looked at twice.
    """

    def __init__(self, log: Path, cursor: Path, watchful: int = WATCHFUL_BYTES) -> None:
        self._log = log
        self._cursor = cursor
        self._watchful = watchful
        self._skip = self._since = self._first = self._last = 0
        self._seen: Counter[bytes] = Counter()
        self._recent: dict[int, None] = {}
        self._pending: list[bytes] = []
        self._pending_stamp = 0
        self._entries = self._bytes = 0
        self.last_line = b""

    def begin(self) -> None:
        """Before the stream is read from its start: find out what was written already."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.touch()
        self._pending, self._entries, self._bytes, self._since = [], 0, 0, 0
        self._recent.clear()
        if not self._cursor.exists():
            self._first = self._last = 0
            self._mark(0, self._log.stat().st_size)
        self._skip, size, self._first, self._last = (int(word) for word in self._cursor.read_bytes().split())
        self._seen = self._tail(size)

    def feed(self, entry: bytes) -> None:
        """One entry as the engine sends it; a line longer than the engine's buffer comes as several."""
        self._entries += 1
        self._bytes += len(entry)
        if self._entries == 1:
            self._compare(entry)
        if self._entries <= self._skip:
            return
        moment, text = _take_apart(entry)
        if moment <= self._since or self._repeated(entry):
            return
        self._last = moment
        if not self._pending:
            self._pending_stamp = moment // 1_000_000
        self._pending.append(text)
        if text.endswith(b"\n"):
            self._flush()

    def _compare(self, entry: bytes) -> None:
        """Whether the engine's copy still begins as it did."""
        moment, _ = _take_apart(entry)
        if self._first and moment != self._first:
            self._skip, self._since = 0, self._last
            if moment > self._last:
                with self._log.open("ab") as log:
                    log.write(b"%d %s\n" % (moment // 1_000_000, MISSING.encode()))
        self._first = moment

    def _repeated(self, entry: bytes) -> bool:
        if self._bytes < self._watchful:
            return False
        mark = hash(entry)
        if mark in self._recent:
            # Pieces of a long line bear one stamp, and may be alike.
            return entry.endswith(b"\n")
        self._recent[mark] = None
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        return False

    def finish(self) -> None:
        """The container is over: write a last line that has no newline."""
        if self._pending:
            self._flush()

    def _flush(self) -> None:
        lines = b"".join(self._pending).removesuffix(b"\n").split(b"\n")
        self._pending = []
        self.last_line = lines[-1]
        rendered = [b"%d %s\n" % (self._pending_stamp, line) for line in lines]
        fresh = b"".join(line for line in rendered if not self._written(line))
        with self._log.open("ab") as log:
            log.write(fresh)
            size = log.tell()
        self._mark(self._entries, size)

    def _written(self, line: bytes) -> bool:
        if self._seen[line] <= 0:
            return False
        self._seen[line] -= 1
        return True

    def _mark(self, entries: int, size: int) -> None:
        descriptor = os.open(self._cursor, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, b"%020d %020d %020d %020d\n" % (entries, size, self._first, self._last), 0)
        finally:
            os.close(descriptor)

    def _tail(self, offset: int) -> Counter[bytes]:
        with self._log.open("r+b") as log:
            log.seek(offset)
            tail = log.read()
            whole = tail.rfind(b"\n") + 1
            if whole < len(tail):
                log.truncate(offset + whole)
        return Counter(tail[:whole].splitlines(keepends=True))


def say(spec: RunSpec, text: str) -> None:
    """A line of ours in the log of a run, before the program's own."""
    spec.log.parent.mkdir(parents=True, exist_ok=True)
    with spec.log.open("a", encoding="utf-8") as log:
        log.write(f"{int(time.time() * 1000)} {text}\n")
