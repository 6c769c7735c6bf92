"""Jobs that begin with PyTorch imported, as those of the house do: forks of a process that has it.

To import it takes longer than nearly each of these jobs, of which there are hundreds. The process is one per list of
modules and test process, and ends with the latter. A job is a process of this file's own that hands its environment
and outputs over, passes signals on, and ends as the fork does; whoever kills it kills the fork.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
WORTH_IT = "torch"
OWN = ("PYTHONPATH", "OMP_NUM_THREADS")
"""Who sets these wants them to be read by an interpreter, or a library, that begins."""
LARGEST = 1 << 17
READY_SECONDS = 120


def command(algorithm: str, verb: str, environment: Mapping[str, str]) -> list[str]:
    """What runs a verb of an algorithm: a fork where that saves seconds, else an interpreter of its own."""
    from algorithms import catalog

    preload = catalog.get(algorithm).preload
    there = WORTH_IT in preload and importlib.util.find_spec(WORTH_IT) is not None
    if not there or any(name in environment for name in OWN) or not hasattr(os, "pidfd_open"):
        return [sys.executable, "-m", "algorithms.run", algorithm, verb]
    return [sys.executable, "-S", __file__, _place(preload), algorithm, verb]


@functools.cache
def _place(preload: tuple[str, ...]) -> str:
    """Where the process with these modules listens."""
    path = str(Path(tempfile.mkdtemp(prefix="preloaded-"), "s"))
    process = subprocess.Popen(
        [sys.executable, __file__, path, *preload],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stdout
    atexit.register(process.communicate)
    assert select.select([process.stdout], [], [], READY_SECONDS)[0] and process.stdout.readline(), "not preloaded"
    return path


# --- the process that is forked ------------------------------------------------------------------------------------


def keep(path: str, preload: Sequence[str]) -> None:
    """Import, and fork for each who asks, until standard input ends; then the place is removed."""
    from emulator.executors.process import threads

    for name in preload:
        importlib.import_module(name)
    threads.remember()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen(64)
        print("ready", flush=True)
        while True:
            if 0 in select.select([0, listening], [], [])[0]:
                return shutil.rmtree(Path(path).parent)
            asked, _ = listening.accept()
            with asked:
                if os.fork() == 0:
                    listening.close()
                    os._exit(_attend(asked))


def _attend(asked: socket.socket) -> int:
    """Fork the job, and do to it what happens to who has asked for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, handles, _, _ = socket.recv_fds(asked, LARGEST, 2)
    child = os.fork()
    if child == 0:
        asked.close()
        _become(json.loads(message), handles)
    over = os.pidfd_open(child)
    while True:
        ready = select.select([over, asked], [], [])[0]
        if over in ready:
            _, status = os.waitpid(child, 0)
            with contextlib.suppress(OSError):
                asked.send(str(os.waitstatus_to_exitcode(status)).encode())
            return 0
        told = asked.recv(1)
        os.kill(child, told[0] if told else signal.SIGKILL)


def _become(job: dict, handles: list[int]) -> None:
    from emulator.executors.process import program

    code = 1
    try:
        for number in range(1, signal.NSIG):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for handle, given in zip((1, 2), handles, strict=True):
            os.dup2(given, handle)
        os.closerange(3, 256)
        os.environ.clear()
        os.environ.update(job["environment"])
        os.chdir(job["folder"])
        program.forget_the_zygote()
        code = program.finish(program.run("algorithms.run:main", tuple(job["arguments"])))
    finally:
        os._exit(code)


# --- the process of a job ------------------------------------------------------------------------------------------


def stand_for(path: str, *arguments: str) -> None:
    """Have the fork made, pass signals on to it, and end as it does."""
    job = {"environment": dict(os.environ), "folder": str(Path.cwd()), "arguments": arguments}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:

        def pass_on(number: int, frame: FrameType | None) -> None:
            asking.send(bytes([number]))

        asking.connect(path)
        socket.send_fds(asking, [json.dumps(job).encode()], [1, 2])
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, pass_on)
        code = int(asking.recv(16) or b"1")
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    if sys.flags.no_site:
        stand_for(*sys.argv[1:])
    else:
        keep(sys.argv[1], sys.argv[2:])
