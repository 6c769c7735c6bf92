"""The hosts of one job on one machine: an address of its own for each, and one network shut off from all others.

The namespaces of an isolated cluster are kept by open files here, not by a first host that could end before the last
one starts; the server that comes after a restart opens them again at a host that still lives.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Callable

from emulator.executors.process import state
from emulator.executors.process.request import FENCE
from emulator.executors.process.zygotes import Zygote
from emulator.ports import RunSpec

MOST_HOSTS = 254

Fence = tuple[int, int]
"""Open files of the user and of the network namespace."""


def is_several(spec: RunSpec) -> bool:
    """Whether the run is one of several hosts; a single one is 127.0.0.1."""
    return spec.cluster is not None and len(spec.cluster.hosts) > 1


def addresses(spec: RunSpec) -> tuple[tuple[str, str], ...]:
    """(host, address) of each of several hosts, in 127.16.0.0 to 127.239.255.255: the same for all who ask."""
    if spec.cluster is None or not is_several(spec):
        return ()
    digest = hashlib.sha256(spec.cluster.name.encode()).digest()
    net = f"127.{16 + digest[0] % 224}.{digest[1]}"
    return tuple((host, f"{net}.{number}") for number, host in enumerate(spec.cluster.hosts, 1))


def make(zygote: Zygote) -> Fence:
    """The namespaces of a new cluster; OSError where they are refused."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            zygote.fork(FENCE, (theirs.fileno(),))
        text, handles, _, _ = socket.recv_fds(ours, 4096, 2)
    if len(handles) != 2:
        raise OSError(
            f"The network of the job's hosts could not be made: {text.decode(errors='replace') or 'no word'}."
        )
    for handle in handles:
        os.set_inheritable(handle, False)
    return handles[0], handles[1]


def reopen(process: state.Process) -> Fence:
    """The namespaces that a living supervisor is in; OSError when it is gone."""
    opened: list[int] = []
    try:
        for kind in ("user", "net"):
            opened.append(os.open(f"/proc/{process.pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC))
        if not process.alive():
            raise ProcessLookupError(process.pid)
    except OSError:
        for handle in opened:
            os.close(handle)
        raise
    return opened[0], opened[1]


class Fences:
    """The fences of an executor's isolated clusters, each open while a run of its cluster is known. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Fence] = {}
        self._runs: dict[str, str] = {}

    def join(self, spec: RunSpec, opened: Callable[[], Fence]) -> Fence:
        """The fence of the run's cluster, by `opened` when there is none yet."""
        assert spec.cluster is not None
        with self._lock:
            if spec.cluster.name not in self._open:
                self._open[spec.cluster.name] = opened()
            self._runs[spec.run_id] = spec.cluster.name
            return self._open[spec.cluster.name]

    def leave(self, run_id: str) -> None:
        """The run is over; the last one of a cluster gives its fence back."""
        with self._lock:
            name = self._runs.pop(run_id, None)
            if name is not None and name not in self._runs.values():
                self._give_back(name)

    def close(self) -> None:
        """Give all back. What runs behind a fence stays there."""
        with self._lock:
            self._runs.clear()
            for name in list(self._open):
                self._give_back(name)

    def _give_back(self, name: str) -> None:
        for handle in self._open.pop(name, ()):
            with contextlib.suppress(OSError):
                os.close(handle)
