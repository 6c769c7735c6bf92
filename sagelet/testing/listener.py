"""The test's side of the server's function executor (`emulator.executors.function` says what is spoken).

One connection is one run: a thread reads it, another one calls the function.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import secrets
import socket
import socketserver
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from sagelet.testing import voice
from sagelet.testing.runs import ML, ProcessingJob, Run, TrainingJob
from sagelet.testing.serving import ModelServer

POLL_SECONDS = 0.02
GIVEN = {"train": TrainingJob, "run": ProcessingJob, "serve": Run}
"""What a function for a verb is given, or its server is made of."""


class _Killed(SystemExit):
    """Raised in the thread of a function that is given up: as near as Python comes to SIGKILL."""


class Listener:
    """Answers with `functions`, by verb (`train`, `run`, `serve`), until `close`."""

    def __init__(self, functions: Mapping[str, Callable[[Any], Any]]) -> None:
        self.functions = functions
        self.token = secrets.token_hex(16)
        self.calls: set[_Call] = set()
        handler = type("Handler", (_Handler,), {"listener": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port: int = self._server.server_address[1]
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(POLL_SECONDS,), name="sagelet-testing", daemon=True)
        self._thread.start()

    def close(self, reason: str) -> None:
        """Stop listening; runs that are under way are lost, for this reason."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for call in list(self.calls):
            call.send(lost=reason)
            call.hang_up()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(socketserver.StreamRequestHandler):
    listener: Listener

    def handle(self) -> None:
        """One run, until the other side hangs up."""
        try:
            opening = json.loads(self.rfile.readline())
            if not secrets.compare_digest(opening["token"], self.listener.token):
                return
        except (ValueError, KeyError, TypeError):  # not the server: somebody looked whether there is anybody
            return
        call = _Call(self.connection, opening["run"], self.listener.functions)
        self.listener.calls.add(call)
        with contextlib.suppress(OSError):
            for line in self.rfile:
                if json.loads(line).get("stop"):
                    call.stop()
        call.kill()
        self.listener.calls.discard(call)


class _Call:
    """A function at work."""

    def __init__(self, connection: socket.socket, told: dict[str, Any], functions: Mapping[str, Any]) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._ending = threading.Lock()
        self._over = False
        verb = told.pop("verb")
        told |= {"hosts": tuple(told["hosts"]), "command": tuple(told["command"])}
        told |= {"mounts": tuple((outside, inside) for outside, inside in told["mounts"])}
        self.run: Run = GIVEN[verb](**told, say=lambda text: self.send(log=text))
        self.function = functions[verb]
        self.server: ModelServer | None = None
        if verb == "serve":
            self.server = ModelServer(self.function, self.run.path(f"{ML}/model"), self.run.environment, self.run.say)
            self.send(port=self.server.port)
            return
        self._thread = threading.Thread(target=self._work, name=f"sagelet-testing-{self.run.name}", daemon=True)
        self._thread.start()

    def send(self, **message: Any) -> None:
        """To the server, if it still listens."""
        with self._sending, contextlib.suppress(OSError):
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def hang_up(self) -> None:
        """Nothing more is said."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """The job is stopped; a model server ends at once."""
        self.run.stopping.set()
        if self.server is not None:
            self._finish(0)

    def kill(self) -> None:
        """End what is left."""
        if self.server is not None:
            self.server.close()
            return
        with self._ending:
            if not self._over:
                ident = ctypes.c_ulong(self._thread.ident or 0)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Killed))

    def _work(self) -> None:
        try:
            code = self._called()
            with self._ending:
                self._over = True
            self._finish(code)
        except _Killed:
            self.hang_up()

    def _called(self) -> int:
        """The exit status that the function's end means."""
        try:
            with voice.heard_by(self.run.say):
                self.function(self.run)
        except _Killed:
            raise
        except SystemExit as over:
            if over.code is None or isinstance(over.code, int):
                return over.code or 0
            self.run.log(over.code)
            return 1
        except BaseException as error:
            self._confess(error)
            return 1
        return 0

    def _confess(self, error: BaseException) -> None:
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        self.run.say("".join(traceback.format_exception(type(error), error, trace)))
        told = self.run.path(f"{ML}/output/failure")
        if not told.exists():
            told.parent.mkdir(parents=True, exist_ok=True)
            told.write_text("".join(traceback.format_exception_only(type(error), error)).strip(), encoding="utf-8")

    def _finish(self, code: int) -> None:
        self.send(exit=code)
        self.hang_up()
