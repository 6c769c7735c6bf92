"""Follows one container from its start, or from an adoption, to its end: its log into a file, its exit to a callback.

One thread a container: the engine's log stream ends when the container does, so the log is whole before the exit is
told.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulator.executors.docker_engine import Engine, EngineAway, start_failure
from emulator.executors.docker_logs import LogWriter
from emulator.ports import Exit, ExitReason

if TYPE_CHECKING:
    from docker.models.containers import Container

RETRY_SECONDS = 0.3
PATIENCE_SECONDS = 120.0
"""How long an engine may be away before its runs count as lost."""

_NOT_A_PROGRAM = re.compile(rb"exec \S+: exec format error$")


class Watch:
    """Watches the container `container_id`; `ended` is called once, in the watch's own thread, unless closed before.
    `memory` is the container's limit in bytes, for the sentence about a program that needed more.
    """

    def __init__(
        self, engine: Engine, container_id: str, writer: LogWriter, ended: Callable[[Exit], None], memory: int = 0
    ) -> None:
        self._memory = memory
        self._engine = engine
        self._id = container_id
        self._writer = writer
        self._ended = ended
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: Any = None
        self._thread = threading.Thread(target=self._run, name=f"docker-watch-{container_id[:12]}", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching; the container goes on."""
        self._closed.set()
        with self._lock:
            stream = self._stream
        if stream is not None:
            _hang_up(stream)
        if self._thread is not threading.current_thread():
            self._thread.join(10)

    def _run(self) -> None:
        over = self._watch()
        if over is not None:
            self._ended(over)

    def _watch(self) -> Exit | None:
        from docker.errors import NotFound

        away_since: float | None = None
        while not self._closed.is_set():
            try:
                away = self._engine.away()
                if away:
                    raise EngineAway(away)
                container = self._engine.client().containers.get(self._id)
                self._follow(container)
                container.reload()
                if not container.attrs["State"]["Running"] and not self._closed.is_set():
                    if self._engine.podman():  # its stream ends with the container, though lines may still be to come
                        self._follow(container, follow=False)
                    self._writer.finish()
                    return self._judge(container.attrs["State"])
                away_since = None
            except NotFound:
                self._writer.finish()
                return Exit(ExitReason.LOST, detail="The container was removed by somebody else.")
            except Exception as problem:  # the engine is away, in one of the many ways that docker-py has for it
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > PATIENCE_SECONDS:
                    return Exit(ExitReason.LOST, detail=f"The Docker Engine went away and did not come back: {problem}")
            self._closed.wait(RETRY_SECONDS)
        return None

    def _follow(self, container: Container, follow: bool = True) -> None:
        self._writer.begin()
        stream = container.logs(stream=True, follow=follow, timestamps=True)
        with self._lock:
            self._stream = stream
        try:
            if self._closed.is_set():  # `close` came before there was a stream to hang up
                return
            for entry in stream:
                if self._closed.is_set():
                    return
                self._writer.feed(entry)
        finally:
            with self._lock:
                self._stream = None
            _put_away(stream)

    def _judge(self, state: dict[str, Any]) -> Exit:
        code = int(state["ExitCode"])
        if state["Status"] == "created" or (state.get("Error") and code in (126, 127, 128)):
            return Exit(ExitReason.NOT_STARTED, code, start_failure(state.get("Error") or "it was never started"))
        if code in (1, 255) and _NOT_A_PROGRAM.match(self._writer.last_line):
            return Exit(ExitReason.NOT_STARTED, code, start_failure(self._writer.last_line.decode(errors="replace")))
        detail = out_of_memory(self._memory) if code and state.get("OOMKilled") else ""
        return Exit(ExitReason.EXITED, signal_or_code(code), detail)


def out_of_memory(limit: int) -> str:
    """The sentence for a program that the kernel ended because it took more than its share; `limit` in bytes."""
    size = f"{limit / (1 << 30):.3g} GiB" if limit >= 1 << 30 else f"{limit / (1 << 20):.4g} MiB"
    which = f"limit {size}: its share of this machine" if limit else "no limit was set: the machine's own"
    return f"The container ran out of memory ({which})."


def signal_or_code(code: int) -> int:
    """128 + n is how the engine says that signal n ended the program; the port says -n."""
    try:
        return -signal.Signals(code - 128).value if code > 128 else code
    except ValueError:
        return code


def _hang_up(stream: Any) -> None:
    # Closing a stream whose other end is gone raises one of several errors; it is closed all the same.
    with contextlib.suppress(Exception):
        stream.close()


def _put_away(stream: Any) -> None:
    """For the reading thread alone: docker-py's `close` hangs up, but keeps the socket until garbage collection."""
    _hang_up(stream)
    with contextlib.suppress(Exception):
        stream._response.close()
