"""The files by which a run is known to whoever comes later: `process.json`, `stop.json`, `exit.json`.

Written whole or not at all. A process is its pid, its start time and the boot, so that a pid that the system gave to
somebody else is never taken for ours.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESERVED = 4096
"""Bytes of one of these files; what is short is filled up with blanks."""


@dataclass(frozen=True)
class Process:
    """A process for ever: `start` is field 22 of /proc/<pid>/stat (empty where there is no /proc)."""

    pid: int
    start: str
    boot: str

    @staticmethod
    def of(pid: int) -> Process:
        """The process that has `pid` now."""
        return Process(pid, _start_time(pid), _boot())

    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        if self.boot != _boot():
            return False
        if self.start:
            return _start_time(self.pid) == self.start
        try:
            os.kill(self.pid, 0)
        except OSError:
            return False
        return True

    def open(self) -> int | None:
        """A pidfd, readable once the process is over; None when it is over or there are no pidfds here."""
        try:
            handle = os.pidfd_open(self.pid)
        except (OSError, AttributeError):
            return None
        if self.alive():
            return handle
        os.close(handle)
        return None

    def send(self, number: int) -> None:
        """Signal exactly this process, if it still runs."""
        handle = self.open()
        try:
            if handle is not None:
                signal.pidfd_send_signal(handle, number)
            elif self.alive():
                os.kill(self.pid, number)
        except ProcessLookupError:
            pass
        finally:
            if handle is not None:
                os.close(handle)


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The name of the program stands in brackets and may hold anything, brackets and blanks included.
    rest = stat[stat.rindex(b")") + 2 :].split()
    return "" if rest[0] in (b"Z", b"X") else rest[19].decode()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def reserve(folder: str, *names: str) -> None:
    """Take the room that these files will need, so that a disk which is full by then does not lose them."""
    for name in names:
        with open(os.path.join(folder, f"{name}.new"), "wb") as file:
            file.write(b" " * RESERVED)


def write(folder: str, name: str, value: dict[str, Any]) -> None:
    """Write `value` as JSON, atomically; over the reserved room where there is some."""
    target = os.path.join(folder, name)
    fresh = f"{target}.new"
    text = json.dumps(value).encode()
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o666), "wb") as file:
        file.write(text.ljust(RESERVED))
        file.truncate()
    os.replace(fresh, target)


def read(folder: str, name: str) -> dict[str, Any] | None:
    """What `write` wrote; None when there is nothing."""
    try:
        value = json.loads(Path(folder, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_process(folder: str, process: Process) -> None:
    """Say which process supervises the run."""
    write(folder, "process.json", asdict(process))


def read_process(folder: str) -> Process | None:
    """The supervisor of the run; None before it began."""
    value = read(folder, "process.json")
    return Process(int(value["pid"]), value["start"], value["boot"]) if value else None
