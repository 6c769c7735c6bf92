"""The server's side of the zygotes: one per family of algorithms, started with the family's first run, never before."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulator.executors.process import request

ENTRY = Path(__file__).with_name("entry.py")
HELLO_SECONDS = 120.0
KEPT = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")


class ZygoteFailed(Exception):
    """The process that programs are forked from could not be started or is gone; the message says why."""


class Zygote:
    """One such process. Thread safe; `fork` waits for the imports when they are not done."""

    def __init__(self, preload: tuple[str, ...], path: tuple[str, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._hello: dict[str, Any] | None = None
        self._gone = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        self._control, theirs = socket.socketpair()
        self._control.settimeout(HELLO_SECONDS)
        task = {"role": "zygote", "control": theirs.fileno(), "preload": preload, "path": [*path, *_site_folders()]}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(ENTRY), json.dumps(task)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._gone and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fit(self) -> bool:
        """Whether its libraries started no thread on import: forking beside threads is not safe."""
        with self._lock:
            return bool(self._greeting()["threads"] == 1)

    def fork(self, message: str, handles: Sequence[int]) -> None:
        """Have the run in the folder `message` started; the first of `handles` closes when it is over, the others are
        the namespaces that it enters. ZygoteFailed when it could not be asked."""
        with self._lock:
            self._greeting()
            try:
                socket.send_fds(self._control, [message.encode()], list(handles))
                if self._control.recv(1):
                    return
            except OSError:
                pass
            self._gone = True  # It hangs up before it can be waited for.
            raise ZygoteFailed(f"The process that programs are forked from is gone.{self._last_words()}")

    def close(self) -> None:
        """End it. The programs that it started go on under their supervisors."""
        self._control.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _greeting(self) -> dict[str, Any]:
        if self._hello is None:
            received = b""
            with contextlib.suppress(OSError):
                while not received.endswith(b"\n") and (chunk := self._control.recv(65536)):
                    received += chunk
            if not received.endswith(b"\n"):
                raise ZygoteFailed(f"The process that programs are forked from did not come up.{self._last_words()}")
            self._hello = json.loads(received)
        return self._hello

    def _last_words(self) -> str:
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        return f" Its last words: {words[-1]}" if words else ""


class Zygotes:
    """Those of one executor."""

    def __init__(self, path: tuple[str, ...] = ()) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._by_family: dict[tuple[str, ...], Zygote] = {}
        self._unfit: set[tuple[str, ...]] = set()
        self._closed = False

    def of(self, family: tuple[str, ...]) -> Zygote:
        """The zygote of a family; a bare one when the family's libraries start threads and cannot be forked."""
        if family not in self._unfit:
            found = self._living(family)
            if not family or found.fit():
                return found
            self._retire(family)
        return self._living(())

    def _retire(self, family: tuple[str, ...]) -> None:
        with self._lock:
            self._unfit.add(family)
            found = self._by_family.pop(family, None)
        if found is not None:
            found.close()

    def _living(self, family: tuple[str, ...]) -> Zygote:
        """Started when there is none; one that died is replaced."""
        with self._lock:
            if self._closed:
                raise ZygoteFailed("The server is shutting down.")
            found = self._by_family.get(family)
            if found is not None and found.alive:
                return found
            if found is not None:
                found.close()
            fresh = self._by_family[family] = Zygote(family, self._path)
            return fresh

    def close(self) -> None:
        """End them all."""
        with self._lock:
            self._closed = True
            zygotes = list(self._by_family.values())
            self._by_family.clear()
        for zygote in zygotes:
            zygote.close()


def rooms() -> str:
    """The folder that holds `algorithms` and `emulator`."""
    return str(Path(request.__file__).resolve().parents[3])


def _site_folders() -> list[str]:
    """`-I` forgets the user's own site-packages, where the server may be installed."""
    return [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    # Not OMP_NUM_THREADS: libgomp reads it once, at its loading, and the programs would be stuck with it, as those
    # of PyTorch would with MKL_NUM_THREADS. Neither starts a thread before there is something to compute.
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}
