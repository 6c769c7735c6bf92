"""One run as the server knows it: a file descriptor that is readable at its end, and its supervisor's files."""

from __future__ import annotations

import os
import select
import tempfile
import threading
import time

from emulator.executors.process import kin, state
from emulator.executors.process.request import SOCKET_NAME
from emulator.ports import Exit, ExitReason, Usage

SLICE = 0.5
"""Seconds after which a waiter looks whether the server is being closed."""
LONGEST_SOCKET = 100
"""Bytes of a unix socket's path that are safe on every system (Linux 107, macOS 103)."""


class Run:
    """One run as the server knows it. `handle` is readable once the run is over; None means looking every 50 ms."""

    def __init__(self, folder: str, socket: str = "", scratch: str = "") -> None:
        self.folder = folder
        self.socket = socket
        self.scratch = scratch
        self.lock = threading.Lock()
        self.handle: int | None = None
        self.exit: Exit | None = None
        self.told = False

    def over(self) -> bool:
        """Whether the supervisor is gone (only without a handle)."""
        process = state.read_process(self.folder)
        return state.read(self.folder, "exit.json") is not None or process is None or not process.alive()

    def settle(self) -> Exit:
        """Read how it ended, once."""
        with self.lock:
            if self.exit is None:
                self.exit = verdict(self.folder)
            return self.exit

    def tell(self) -> Exit | None:
        """How it ended, to the first who asks."""
        with self.lock:
            told, self.told = self.told, True
            return None if told else self.exit

    def watch(self) -> int | None:
        """A duplicate of the handle: it stays valid whoever releases the run meanwhile."""
        with self.lock:
            return None if self.handle is None else os.dup(self.handle)

    def close(self) -> None:
        """Give the handle back."""
        with self.lock:
            if self.handle is not None:
                os.close(self.handle)
            self.handle = None


def ended(run: Run, handle: int | None, end: float | None) -> bool:
    """Wait a slice of time for the end of a run."""
    left = SLICE if end is None else max(0.0, min(SLICE, end - time.monotonic()))
    if handle is None:
        if not run.over():
            time.sleep(min(left, 0.05))
        return run.over()
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(left * 1000))


def usage(folder: str) -> Usage | None:
    """What the run uses now, seen from outside, so that it is the same for one that was adopted; at its end, what its
    supervisor has counted. None where there is no /proc, and before the program begins."""
    over = state.read(folder, "exit.json")
    if over is not None:
        return Usage(over["cpu"]) if "cpu" in over else None
    process = state.read_process(folder)
    if process is None or not process.start or not process.alive():
        return None
    pids = kin.descendants(process.pid)
    if not pids:
        return None
    return Usage(kin.cpu_of_the_reaped(process.pid) + kin.cpu_seconds(pids), kin.held(pids))


def socket_for(folder: str) -> tuple[str, str]:
    """(path of the server's socket, folder to remove because it had to be made elsewhere)."""
    near = os.path.join(folder, "socket")
    path = os.path.join(near, SOCKET_NAME)
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        os.mkdir(near, 0o700)
        return path, ""
    elsewhere = tempfile.mkdtemp(prefix="sagelet-run-", dir="/tmp")
    return os.path.join(elsewhere, SOCKET_NAME), elsewhere


def verdict(folder: str) -> Exit:
    ended = state.read(folder, "exit.json")
    if ended is not None:
        return Exit(ExitReason(ended["reason"]), ended["code"], ended["detail"])
    if state.read_process(folder) is None:
        return Exit(ExitReason.NOT_STARTED, detail="The process that should start the program is gone.")
    return Exit(ExitReason.LOST, detail="The supervisor of the program was killed and left no exit status.")
