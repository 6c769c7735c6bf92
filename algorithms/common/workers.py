"""Several processes behind one listening socket: as many as there are cores, because Python computes on one of them.

The first process accepts, and hands each connection to the next worker in turn, so that none has more than its share. A
worker that dies ends the server, with its status: whoever runs it decides what becomes of it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

READY = b"!"
HANDING = b"c"
PATIENCE = 7.0
"""Seconds that workers have to finish what they are at."""
ENDING = (signal.SIGTERM, signal.SIGINT)

Serve = Callable[["Handed", Callable[[], None]], int]
"""Serves what is handed on until SIGTERM, calls the function when it can; the exit status."""


def by_cores() -> int:
    """As many as SAGEMAKER_MODEL_SERVER_WORKERS or MODEL_SERVER_WORKERS says, else one for each core."""
    for name in ("SAGEMAKER_MODEL_SERVER_WORKERS", "MODEL_SERVER_WORKERS"):
        if (said := os.environ.get(name, "")).isdigit() and int(said) > 0:
            return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Handed:
    """What a server takes for its listening socket: connections that the first process has accepted."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        """The next connection; OSError when there will be none."""
        content, descriptors, _, _ = socket.recv_fds(self._line, 1, 1)
        if not content:
            signal.raise_signal(signal.SIGTERM)
            raise TimeoutError("the first process is gone")
        return socket.socket(fileno=descriptors[0]), ("127.0.0.1", 0)

    def fileno(self) -> int:
        return self._line.fileno()

    def settimeout(self, seconds: float | None) -> None:
        self._line.settimeout(seconds)

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 0

    def listen(self, backlog: int) -> None:
        """The first process does."""

    def close(self) -> None:
        self._line.close()


def _forget_signals() -> None:
    """Until it serves, a worker ends at once when told to: the first process's way would only wake that one again."""
    signal.set_wakeup_fd(-1)
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


@dataclass
class Worker:
    """A process that serves; connections go over `line`."""

    pid: int
    line: socket.socket

    @classmethod
    def fork(cls, serve: Serve, listening: socket.socket, others: list[Worker]) -> Worker:
        """Start one; in the new process this does not return."""
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        # What tells the new process to end has to wait until that has forgotten our way, else it would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        if pid := os.fork():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            theirs.close()
            return cls(pid, ours)
        status = 1
        _forget_signals()
        try:
            for line in (ours, listening, *(other.line for other in others)):
                line.close()
            status = serve(Handed(theirs), lambda: theirs.sendall(READY))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def wait_until_ready(self) -> bool:
        """Whether it can serve; False when it has ended instead."""
        try:
            return self.line.recv(1) == READY
        except OSError:
            return False

    def ended(self) -> int:
        """Wait for its end; the status, below 0 for a signal."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        return status

    def hand(self, connection: socket.socket) -> None:
        """A worker that is gone is noticed elsewhere."""
        with contextlib.suppress(OSError):
            socket.send_fds(self.line, [HANDING], [connection.fileno()])
        connection.close()


def run(count: int, bound: socket.socket, listen: Callable[[], None], serve: Serve, ended: socket.socket) -> int:
    """Serve with `count` workers until `ended` is readable; the exit status.

    The first worker loads alone: if it cannot, none can. When it has, `listen` is called: so far callers are refused.
    """
    workers = [Worker.fork(serve, bound, [])]
    try:
        if ended in select.select([ended, workers[0].line], [], [])[0]:
            return 0
        if not workers[0].wait_until_ready():
            return workers[0].ended() or 1
        listen()
        workers += [Worker.fork(serve, bound, workers[:]) for _ in range(count - 1)]
        return _hand_out(workers, bound, ended)
    finally:
        _stop(workers)


def _hand_out(workers: list[Worker], listening: socket.socket, ended: socket.socket) -> int:
    """Give connections in turn to those that are ready; the status of the first that dies, 0 when told to end."""
    ready, coming, turn = [workers[0]], workers[1:], 0
    while True:
        watched = [listening, ended, *(worker.line for worker in workers)]
        readable, _, _ = select.select(watched, [], [])
        if ended in readable:
            return 0
        for worker in workers:
            if worker.line in readable:
                if worker in coming and worker.wait_until_ready():
                    coming.remove(worker)
                    ready.append(worker)
                    print(f"Worker {worker.pid} serves too", flush=True)
                else:
                    pid, status = worker.pid, worker.ended()
                    print(f"Worker {pid} has ended with status {status}", file=sys.stderr, flush=True)
                    return status or 1
        if listening in readable:
            connection, _ = listening.accept()
            ready[turn % len(ready)].hand(connection)
            turn += 1


def _stop(workers: list[Worker]) -> None:
    """End them all, and wait for them, but not for ever."""
    alive = [worker.pid for worker in workers if worker.pid]
    for pid in alive:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while alive and time.monotonic() < until:
        alive = [pid for pid in alive if os.waitpid(pid, os.WNOHANG)[0] == 0]
        time.sleep(0.005)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
