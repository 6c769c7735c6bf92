"""One server for all workers of pytest-xdist: the first that needs it starts it, the controller ends it.

The controller gives its workers a folder, which holds a lock, the server's data and its address. Each worker acts in an
account of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from sagelet.server import STOP_SECONDS, Server

FIRST_ACCOUNT = 100_000_000_000
ADDRESS = "server.json"


class SharedServer(Server):
    """The server as one of several processes has it. Its end is the controller's matter."""

    def __init__(self, folder: Path, options: Sequence[str], worker: str) -> None:
        super().__init__(folder / "data", options)
        self.account = account_of(worker)
        self._folder = folder
        self._pid = 0

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._pid

    def start(self) -> SharedServer:
        """Join the server, or start it where no other worker has."""
        address = self._folder / ADDRESS
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not address.exists():
                super().start()
                address.write_text(json.dumps({"url": self.url, "pid": self.leave()}), encoding="utf-8")
        told = json.loads(address.read_text(encoding="utf-8"))
        self.url, self._pid = told["url"], told["pid"]
        return self

    def stop(self) -> int:
        """It goes on: others use it."""
        return super().stop()  # of a start that failed

    def kill(self) -> None:
        """Refused: others use it."""
        raise RuntimeError(
            "All workers of pytest-xdist share this server, so that a test may not kill it. "
            "Use sagelet.Server() for one of the test's own."
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def account_of(worker: str) -> str:
    """The account of a worker, by its name: `gw0`, `gw1`, …"""
    return str(FIRST_ACCOUNT + int(worker.removeprefix("gw")))


def end(folder: Path) -> None:
    """Stop the server, if one was started, and remove the folder."""
    address = folder / ADDRESS
    if address.exists():
        pid = int(json.loads(address.read_text(encoding="utf-8"))["pid"])
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            if not _let_go(folder / "data" / "lock"):
                os.kill(pid, signal.SIGKILL)
                _let_go(folder / "data" / "lock")
    shutil.rmtree(folder, ignore_errors=True)


def _let_go(lock: Path) -> bool:
    """Wait until nobody has the lock of the data folder, which ends with the server: its pid may belong to a process
    that nobody has waited for."""
    until = time.monotonic() + STOP_SECONDS
    with lock.open("a") as file:
        while time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            time.sleep(0.01)
    return False
