"""What the hosts of a job use, as points that CloudWatch shows: processor, memory, disk, as measured and not otherwise.

The service has a point a minute. Here the first comes after a second and each further one after twice the time, until
the period is reached, so that a job of seconds has some and a job of hours has as many as there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.clock import Clock
from emulator.jobs.instances import GIB
from emulator.ports import Metrics, Point, Usage

log = logging.getLogger(__name__)

FIRST_SECONDS = 1.0
SHORTEST_SECONDS = 0.2
"""The processor's time is told in hundredths of a second: over less than this they would be a rough guess."""
LAST_SECONDS = 0.05
"""How long the end of a job waits for a measurement that is under way."""
MOST_FILES = 10_000
"""Of a folder with more files the size is not told: it would take longer to count them than it is worth."""


@dataclass(frozen=True)
class Host:
    """What is measured. `resource` is that of `ports.Point`; `memory` and `volume` are the host's bytes.

    Without a `folder` its disk is not measured; a `volume` of 0 is the whole file system.
    """

    resource: str
    ask: Callable[[], Usage | None]
    memory: int
    folder: Path | None = None
    volume: int = 0


class Meter:
    """Measures the hosts of one job. `began` is when their programs did, by time.monotonic; None when that is not
    known any more: then the processor's time is counted from the first look on. A `period` of 0 never looks."""

    def __init__(
        self, metrics: Metrics, clock: Clock, period: float, hosts: Sequence[Host], began: float | None = None
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._period = period
        self._began = time.monotonic() if began is None else began
        self._spent: dict[str, tuple[float, float]] = {}
        """By resource: when it was looked at, and the processor's seconds until then."""
        if began is not None:
            self._spent = {host.resource: (began, 0.0) for host in hosts}
        self._left = list(hosts)
        self._over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look now and then while this is entered, from a thread, since engines take their time; and once at the end,
        when it has lasted."""
        if self._period <= 0:
            yield
            return
        thread = threading.Thread(target=self._run, name="meter", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(LAST_SECONDS)
            if not thread.is_alive() and time.monotonic() - self._began >= FIRST_SECONDS:
                self.look(last=True)

    def look(self, last: bool = False) -> None:
        """Measure all hosts whose programs are not over."""
        found: list[Point] = []
        for host in list(self._left):
            found += self._measured(host)
        if self._over.is_set() and not last:
            return
        try:
            self._metrics.append(found)
        except OSError as error:
            log.warning("What a job uses cannot be written down: %s", error)

    def _run(self) -> None:
        pause = min(FIRST_SECONDS, self._period)
        while not self._over.wait(pause):
            self.look()
            pause = min(2 * pause, self._period)

    def _measured(self, host: Host) -> list[Point]:
        usage = host.ask()
        if usage is None:
            if self._spent.get(host.resource, (0.0, -1.0))[1] == 0.0:  # it has not begun: its image may be on its way
                self._spent[host.resource] = (time.monotonic(), 0.0)
            return []
        values = {"CPUUtilization": self._cpu(host, usage.cpu_seconds)}
        if usage.memory is None:
            self._left.remove(host)
        else:
            values["MemoryUtilization"] = percent(usage.memory, host.memory)
        if host.folder is not None:
            values["DiskUtilization"] = percent(size(host.folder), host.volume or _whole(host.folder))
        now = self._clock.now()
        return [Point(host.resource, name, value, now) for name, value in values.items() if value is not None]

    def _cpu(self, host: Host, seconds: float) -> float | None:
        """Percent of one core since the last look: of four cores that are busy, 400."""
        now = time.monotonic()
        then, spent = self._spent.get(host.resource, (now, seconds))
        if now - then < SHORTEST_SECONDS:
            self._spent.setdefault(host.resource, (now, seconds))
            return None
        self._spent[host.resource] = (now, seconds)
        return max(0.0, 100 * (seconds - spent) / (now - then))


def percent(part: int | None, whole: int) -> float | None:
    """At most 100: that is where a host of the service is full."""
    return None if part is None or not whole else min(100.0, 100 * part / whole)


def resource(namespace: str, job: str, host: str) -> str:
    """What a host is called among the metrics."""
    return f"{namespace}/{job}/{host}"


def volume(body: Mapping[str, Any]) -> int:
    """Bytes of the volume that a job asks for at each host; 0 when it does not say."""
    config = body.get("ResourceConfig") or (body.get("ProcessingResources") or {}).get("ClusterConfig") or {}
    return int(config.get("VolumeSizeInGB") or 0) * GIB


def size(folder: Path) -> int | None:
    """Bytes that the files below a folder have on the disk; None when they are too many or may not be looked at."""
    total = count = 0
    folders = [str(folder)]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except FileNotFoundError:  # the program has removed it meanwhile
            continue
        except OSError:
            return None
        count += len(entries)
        if count > MOST_FILES:
            return None
        folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        total += sum(map(_bytes, entries))
    return total


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def _whole(folder: Path) -> int:
    try:
        system = os.statvfs(folder)
    except OSError:
        return 0
    return system.f_blocks * system.f_frsize
