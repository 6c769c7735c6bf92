"""A server as a child process: started, awaited, stopped. What the demo and the pytest fixture stand on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from sagelet import places
from sagelet.environment import variables

START_SECONDS = 30.0
STOP_SECONDS = 35.0


class ServerDied(Exception):
    """The server ended before it could serve; the message holds what it said."""


class Server:
    """`with Server() as server:` runs `sagelet up` on a free port for as long as the block lasts.

    Without `data_dir` everything is kept in a folder that goes with it. `options` are those of `sagelet up`.
    """

    def __init__(self, data_dir: Path | str | None = None, options: Sequence[str] = ()) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="sagelet-", ignore_cleanup_errors=True) if not data_dir else None
        self.data_dir = Path(data_dir or (self._own.name if self._own else ""))
        self.options = tuple(options)
        self.url = ""
        self.account = ""
        """The account that is acted in; empty: the server's own, and `reset` empties all."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the server."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def env(self) -> dict[str, str]:
        """The variables that point a program at this server."""
        return variables(self.url, account=self.account)

    def start(self) -> Server:
        """Start the server and wait until it can serve; `ServerDied` with its words when it cannot."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        log = self.data_dir / "server.log"
        with tempfile.TemporaryDirectory() as folder, log.open("ab") as output:
            ready = Path(folder) / "ready"
            options = ["--port", "0", "--data-dir", str(self.data_dir), "--ready-file", str(ready), *self.options]
            command = [sys.executable, "-m", "sagelet", "up", *options]
            self._process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
            self.url = self._await(ready, log)
        return self

    def reset(self) -> None:
        """Forget everything that the server holds, or what `account` has. Takes milliseconds; programs that run are
        killed."""
        places.ask(self.url, "/_sagelet/reset", "POST", {"account": self.account} if self.account else None)

    def stop(self) -> int:
        """Ask the server to end, and wait for it. Returns its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def leave(self) -> int:
        """Let it run on when this process ends; its pid. Who ends it is then somebody else's matter."""
        process, self._process = self._process, None
        assert process is not None, "the server was not started"
        process.returncode = 0  # or Python complains of a child that was not waited for
        return process.pid

    def kill(self) -> None:
        """kill -9: for tests of what survives it."""
        assert self._process is not None, "the server was not started"
        self._process.kill()
        self._process.wait()
        self._process = None

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._own is not None:
            self._own.cleanup()

    def _await(self, ready: Path, log: Path) -> str:
        assert self._process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if ready.exists() and (url := ready.read_text().strip()):
                return url
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        self.stop()
        raise ServerDied(f"The server did not start.\n{log.read_text(errors='replace')[-2000:]}")


def exec_server(settings_json: str, root: Path) -> None:
    """Become the server: the process that was `sagelet up` is replaced, so that its pid is the server's.

    `-I` keeps the user's working directory, PYTHONPATH and user site out of the server's path, where a module of
    theirs named `api` or `emulator` would be taken for ours.
    """
    program = str(root / "api" / "__main__.py")
    os.execv(sys.executable, [sys.executable, "-I", program, settings_json])


def run_clean(data_dir: Path, root: Path) -> int:
    """Clean up after a server that is gone, in a process of the rooms' own; its exit status."""
    program = str(root / "emulator" / "executors" / "clean.py")
    return subprocess.run([sys.executable, "-I", program, str(data_dir)], check=False).returncode
