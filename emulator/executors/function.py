"""The function executor: a run is a call of a function in a program of the user's, which says how it goes.

That program (`sagelet.testing`) listens on the loopback. A run is one connection to it, on which both sides send lines
of JSON: this one what is to be run and then `{"stop": true}`, the other one `{"log": TEXT}`, `{"port": N}` (where it
serves) and at last `{"exit": CODE}`, or `{"lost": SENTENCE}`. A connection that is closed is the end of the run, on
either side.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from typing import Any

from emulator.executors.outcome import Outcome
from emulator.executors.process.stamp import Stamper
from emulator.functions import CONNECT_SECONDS, LOOPBACK, FunctionBook, FunctionImage
from emulator.ports import Address, Exit, ExitReason, RunSpec, Usage


class _Run(Outcome):
    def __init__(self, spec: RunSpec, answers: FunctionImage, connection: socket.socket) -> None:
        super().__init__()
        self.spec = spec
        self.answers = answers
        self.connection = connection
        self.stopping = False
        self.port = 0
        self.deadline: threading.Timer | None = None

    def end(self, over: Exit) -> None:
        super().end(over)
        self.hang_up()

    def hang_up(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class FunctionExecutor:
    """ports.Executor that lets a program of the user's do the work."""

    name = "function"
    interface = "lo"

    def __init__(self, book: FunctionBook) -> None:
        self._book = book
        self._runs: dict[str, _Run] = {}
        self._never: dict[str, Exit] = {}

    def refusal(self, spec: RunSpec) -> str:
        """Empty when somebody answers for the image."""
        if _who(self._book, spec) is not None:
            return ""
        hint = self._book.hint(spec.image, spec.arn)
        return f"No function answers for the image {spec.image} (sagelet.testing.image).{hint}"

    def start(self, spec: RunSpec) -> None:
        """See ports.Executor."""
        answers = _who(self._book, spec)
        if answers is None:
            self._never[spec.run_id] = Exit(ExitReason.NOT_STARTED, detail=self.refusal(spec))
            return
        try:
            connection = socket.create_connection((LOOPBACK, answers.port), CONNECT_SECONDS)
            connection.settimeout(None)
            _send(connection, {"token": answers.token, "run": _described(spec)})
        except OSError as error:
            self._never[spec.run_id] = Exit(ExitReason.NOT_STARTED, detail=f"{_gone(answers)} ({error})")
            return
        run = self._runs[spec.run_id] = _Run(spec, answers, connection)
        threading.Thread(target=_follow, args=(run,), name=f"function-{spec.run_id}", daemon=True).start()

    def wait(self, run_id: str, timeout: float | None = None) -> Exit | None:
        """See ports.Executor."""
        if run_id in self._never:
            return self._never.pop(run_id)
        run = self._runs.get(run_id)
        return run.tell(timeout) if run else None

    def stop(self, run_id: str, grace: float) -> None:
        """The function is told, and after the grace given up. What it does after that reaches nobody."""
        run = self._runs.get(run_id)
        if run is None or run.exit is not None:
            return
        run.stopping = True
        if run.deadline is not None:
            run.deadline.cancel()
        run.deadline = threading.Timer(grace, run.end, (Exit(ExitReason.STOPPED, -9),))
        run.deadline.daemon = True
        run.deadline.start()
        with contextlib.suppress(OSError):
            _send(run.connection, {"stop": True})

    def address(self, run_id: str) -> Address | None:
        """Where the function's program serves."""
        run = self._runs.get(run_id)
        return Address(port=run.port) if run is not None and run.port and run.exit is None else None

    def usage(self, run_id: str) -> Usage | None:
        """What a function uses is its program's, and not known."""
        return None

    def adopt(self, spec: RunSpec) -> bool:
        """The connection ended with the server, and the run with it."""
        return False

    def release(self, run_id: str) -> None:
        """See ports.Executor."""
        self._never.pop(run_id, None)
        run = self._runs.pop(run_id, None)
        if run is not None:
            _drop(run)

    def close(self) -> None:
        """End all runs."""
        for run in list(self._runs.values()):
            _drop(run)
        self._runs.clear()


def _who(book: FunctionBook, spec: RunSpec) -> FunctionImage | None:
    return book.find(spec.image, spec.verb, spec.arn)


def _described(spec: RunSpec) -> dict[str, Any]:
    """A run, for the program that it is left to."""
    return {
        "arn": spec.arn,
        "image": spec.image,
        "verb": spec.verb,
        "environment": dict(spec.environment),
        "mounts": [[str(mount.outside), mount.inside] for mount in spec.mounts],
        "host": spec.hostname,
        "hosts": list(spec.cluster.hosts if spec.cluster else (spec.hostname,)),
        "command": [*spec.entrypoint, *spec.arguments],
    }


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _drop(run: _Run) -> None:
    run.close()
    run.hang_up()


def _follow(run: _Run) -> None:
    """Read what the other side says, until the run is over."""
    over = None
    run.spec.log.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(run.spec.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    stamper = Stamper(log)
    try:
        with run.connection, run.connection.makefile("rb") as lines, contextlib.suppress(OSError, ValueError):
            for line in lines:
                message = json.loads(line)
                if "log" in message:
                    stamper.feed(str(message["log"]).encode("utf-8", "replace"))
                run.port = message.get("port", run.port)
                over = _ended(run, message) or over
            stamper.close()
        run.end(over or Exit(ExitReason.LOST, detail=f"{_gone(run.answers)} while the function ran."))
    finally:
        os.close(log)


def _ended(run: _Run, message: dict[str, Any]) -> Exit | None:
    if "lost" in message:
        return Exit(ExitReason.LOST, detail=str(message["lost"]))
    if "exit" in message:
        return Exit(ExitReason.STOPPED if run.stopping else ExitReason.EXITED, int(message["exit"]))
    return None


def _gone(answers: FunctionImage) -> str:
    return (
        f"The test process{f' {answers.pid}' if answers.pid else ''} that answers for the image {answers.image} with a "
        "function (sagelet.testing) has gone"
    )
