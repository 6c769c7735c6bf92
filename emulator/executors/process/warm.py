"""A zygote: a single-threaded process that has imported a family's libraries and forks a supervisor per request.

It never computes: a fork after an OpenMP pool was used hangs the child, after the import alone it works. It ends when
its control connection closes, that is with the server.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

from emulator.executors.process import linux, sandbox, supervisor, threads
from emulator.executors.process.request import FENCE

FORKED_WELL = ("jemalloc_bg_thd",)
"""Threads whose libraries see to forks themselves: jemalloc (in pyarrow) starts its own again in the child."""


def main(task: dict[str, Any]) -> None:
    """Import, say hello, and serve until the server hangs up."""
    control = socket.socket(fileno=task["control"])
    control.set_inheritable(False)
    problems = _import(task["preload"])
    threads.remember()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Supervisors are reaped by the kernel.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.adopt_orphans()
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps({"threads": _threads(), "problems": problems}).encode() + b"\n")
    while True:
        message, handles, _, _ = socket.recv_fds(control, 4096, 3)
        if not message:
            return
        for handle in handles:
            os.set_inheritable(handle, False)
        _fork(control, message, handles)
        control.sendall(b"\n")


def _import(names: list[str]) -> dict[str, str]:
    """A library that is missing is the program's failure, in its own words, not the zygote's."""
    problems = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            problems[name] = f"{type(error).__name__}: {error}"
    return problems


def _fork(control: socket.socket, message: bytes, handles: list[int]) -> None:
    if os.fork() == 0:
        code = 1
        try:
            control.close()
            if message == FENCE.encode():
                sandbox.send_fence(handles[0])
                code = 0
            else:
                code = supervisor.launch(message.decode(), handles[1:])
        finally:
            os._exit(code)
    for handle in handles:
        os.close(handle)


def _threads() -> int:
    """How many threads there are that a fork would lose."""
    try:
        names = [Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in os.listdir("/proc/self/task")]
    except OSError:
        return threading.active_count()
    return sum(1 for name in names if name not in FORKED_WELL)
