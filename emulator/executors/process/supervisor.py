"""One per run: starts the program, stamps its output into the log, obeys `stop.json`, writes `exit.json` at the end.

It survives the server and the zygote. In namespaces it is process 1 of the program's pid namespace, so that nothing of
the run outlives it; elsewhere it becomes the parent of the program's orphans and ends them itself.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import shutil
import signal
import socket
import time

from emulator.executors.process import bubblewrap, kin, linux, program, sandbox, state
from emulator.executors.process.request import BWRAP, NAMESPACES, Request
from emulator.executors.process.shorten import Limit
from emulator.executors.process.stamp import Stamper

MEMORY_SECONDS = 0.25
"""How often a run with a share of the memory is weighed."""

DRAIN_SECONDS = 2.0
"""How long output is awaited after all processes of the run are gone."""


def launch(folder: str, fence: list[int]) -> int:
    """In the zygote's child: fork the supervisor of the run in `folder` and leave. `fence` is entered and closed."""
    os.setsid()
    try:
        request = Request.load(folder)
        if request.sandbox == NAMESPACES:
            sandbox.separate(fence)
        for handle in fence:
            os.close(handle)
        ready, begin = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(begin)
            return _supervise(request, ready)
        # Process ids are those of the machine only as long as one has not entered the new namespace.
        state.write_process(folder, state.Process.of(pid))
        os.write(begin, b"!")
    except Exception as error:
        state.write(folder, "exit.json", {"reason": "not started", "code": None, "detail": f"{error}."})
    return 0


def _supervise(request: Request, ready: int) -> int:
    if not os.read(ready, 1):
        return 1
    os.close(ready)
    verdict: dict[str, object]
    try:
        supervisor = Supervisor(request)
    except OSError as error:
        verdict = {"reason": "not started", "code": None, "detail": f"The log cannot be written: {error}."}
    else:
        verdict = _outcome(supervisor)
    for left in (os.path.join(request.folder, "tmp"), request.scratch):
        if left:
            shutil.rmtree(left, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        state.write(request.folder, "exit.json", verdict)
    return 0


def _outcome(supervisor: Supervisor) -> dict[str, object]:
    try:
        return {**supervisor.run(), "cpu": supervisor.spent()}
    except Exception as error:
        return {"reason": "lost", "code": None, "detail": f"The supervisor of the run failed: {error!r}."}


class Supervisor:
    """The life of one program, in one thread."""

    def __init__(self, request: Request) -> None:
        linux.adopt_orphans()
        self._request = request
        self._wake = _signals()
        os.makedirs(os.path.dirname(request.log), exist_ok=True)
        self._log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._stamper = Stamper(self._log, limit=Limit(request.log, request.log_limit))
        self._child = 0
        self._output = -1
        self._info = -1
        self._status: int | None = None
        self._deadline = math.inf
        self._stopped = False
        self._starved = False
        self._spent = 0.0
        self._look = time.monotonic() if request.memory else math.inf

    def run(self) -> dict[str, object]:
        """Start the program, watch it to its end, and say how it ended as `exit.json` has it."""
        if state.read(self._request.folder, "stop.json"):
            return {"reason": "stopped", "code": None, "detail": "Stopped before the program began."}
        problem = self._start()
        self._watch()
        self._kill()
        self._drain()
        return self._verdict(problem)

    def spent(self) -> float:
        """What the processor has computed for all processes of the run. Those that are killed along with the process 1
        of a namespace are counted before: nobody waits for them."""
        return max(self._spent, kin.cpu_of_the_reaped())

    def _start(self) -> str:
        os.makedirs(os.path.join(self._request.folder, "tmp"), exist_ok=True)
        self._output, output = os.pipe()
        problems, report = os.pipe()
        self._info, info = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            program.become(self._request, output, report, info)
        for handle in (output, report, info):
            os.close(handle)
        problem = b""
        while chunk := os.read(problems, 4096):
            problem += chunk
        os.close(problems)
        return problem.decode(errors="replace")

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._output, select.POLLIN)
        self._obey()
        while not self._over():
            for handle, _ in poll.poll(self._patience()):
                if handle == self._wake.fileno():
                    self._wake.recv(4096)
                    self._obey()
                elif not self._copy():
                    poll.unregister(self._output)
            now = time.monotonic()
            if now >= self._deadline:
                self._kill()
                self._deadline = math.inf
            elif now >= self._look:
                self._weigh(now)

    def _patience(self) -> float | None:
        next_look = min(self._deadline, self._look)
        return None if next_look == math.inf else max(0.0, next_look - time.monotonic()) * 1000 + 1

    def _weigh(self, now: float) -> None:
        """End a run that holds more memory than its share."""
        self._look = now + MEMORY_SECONDS
        if kin.memory(kin.descendants(kin.own_pid()), self._request.memory) > self._request.memory:
            self._starved = True
            self._look = math.inf
            self._kill()

    def _over(self) -> bool:
        """Reap whatever has ended, the program and orphans of its; whether the program has."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._child:
                    self._status = os.waitstatus_to_exitcode(ended[1])
        return self._status is not None

    def _copy(self) -> bool:
        chunk = os.read(self._output, 65536)
        self._stamper.feed(chunk)
        return bool(chunk)

    def _obey(self) -> None:
        """SIGTERM to the program, once, when a stop was asked for; a later stop can only shorten the grace."""
        stop = state.read(self._request.folder, "stop.json")
        if stop is None:
            return
        end = time.monotonic() + float(stop["grace"])
        if not self._stopped:
            self._stopped = True
            self._deadline = end
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._target(), signal.SIGTERM)
        else:
            self._deadline = min(self._deadline, end)

    def _target(self) -> int:
        if self._request.sandbox != BWRAP:
            return self._child
        try:
            return bubblewrap.signal_target(json.loads(os.read(self._info, 4096))["child-pid"])
        except (ValueError, KeyError):
            return self._child

    def _kill(self) -> None:
        """SIGKILL to all that is left of the run."""
        living = kin.cpu_seconds(kin.descendants(kin.own_pid()))
        self._spent = max(self._spent, living + kin.cpu_of_the_reaped())
        if self._request.sandbox == NAMESPACES:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            return
        for _ in range(1000):
            left = kin.descendants(os.getpid())
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if not left or left == [self._child]:
                return
            time.sleep(0.002)
            self._over()

    def _drain(self) -> None:
        end = time.monotonic() + DRAIN_SECONDS
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        while time.monotonic() < end:
            if not poll.poll(100):
                continue
            if not self._copy():
                break
        self._stamper.close()

    def _verdict(self, problem: str) -> dict[str, object]:
        if problem:
            return {"reason": "not started", "code": None, "detail": f"The program could not be started: {problem}."}
        code = self._status
        if self._request.sandbox == BWRAP and code is not None and 128 < code < 128 + signal.NSIG:
            code = 128 - code  # bwrap reports a signal as a shell does.
        reason = "stopped" if self._stopped else "exited"
        if self._starved:
            size = kin.in_words(self._request.memory)
            return {"reason": reason, "code": -9, "detail": f"The program used more memory than its host has ({size})."}
        lost = self._stamper.lost
        detail = f"{lost} bytes of output could not be written to the log." if lost else ""
        return {"reason": reason, "code": code, "detail": detail}


def _signals() -> socket.socket:
    """Signals as bytes of a socket, so that one poll waits for all that can happen."""
    wake, bell = socket.socketpair()
    for end in (wake, bell):
        end.setblocking(False)
    signal.set_wakeup_fd(bell.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return wake
