"""A process's descendants and the memory that they hold, as /proc tells it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

NOTICED = 16 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def own_pid() -> int:
    """This process as the mounted /proc knows it: behind a new pid namespace `os.getpid` says 1."""
    try:
        return int(os.readlink("/proc/self"))
    except OSError:
        return os.getpid()


def descendants(pid: int) -> list[int]:
    """All descendants, those that were forked by other threads than the first included."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            children = [int(child) for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()]
        except (OSError, ValueError):
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def memory(pids: Iterable[int], limit: int) -> int:
    """Bytes that the processes hold and the system cannot drop: no files, no code.

    What several of them share, as forks do, is counted once for each, which is quick; only when that is more than
    `limit`, once for all, which takes a walk through their pages.
    """
    known = list(pids)
    quick = sum(_kilobytes(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:")) for pid in known) * 1024
    if quick <= limit:
        return quick
    exact = sum(_kilobytes(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) for pid in known) * 1024
    return exact or quick  # Systems older than Linux 5.4 do not tell.


def held(pids: Iterable[int]) -> int:
    """As `memory`, but exact wherever that could make a difference of more than `NOTICED` bytes."""
    known = list(pids)
    each = [memory((pid,), sys.maxsize) for pid in known]
    return sum(each) if sum(each) - max(each, default=0) <= NOTICED else memory(known, 0)


def cpu_seconds(pids: Iterable[int]) -> float:
    """What the processes have computed, with the children that they have waited for."""
    return sum(sum(_ticks(pid)) for pid in pids) / TICKS


def cpu_of_the_reaped(pid: int = 0) -> float:
    """What all descendants that a process (this one) has waited for have computed."""
    if not pid:
        spent = os.times()
        return spent.children_user + spent.children_system
    return sum(_ticks(pid)[2:]) / TICKS


def _ticks(pid: int) -> list[int]:
    """utime, stime, cutime, cstime; none for a process that is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return []
    return [int(field) for field in stat[stat.rindex(b")") + 2 :].split()[11:15]]


def in_words(size: int) -> str:
    """Bytes as people say them."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} bytes"


def _kilobytes(path: str, names: tuple[str, ...]) -> int:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(names))
