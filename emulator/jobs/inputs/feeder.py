"""The pipes of a channel: a FIFO for every epoch, filled while a program reads it.

The program owns the folder that the pipes are in, so every one is opened by its name in that very folder, not through
links, and must be a pipe: else a program could have the house write anywhere.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import logging
import os
import select
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from emulator.jobs.inputs.stream import Stream
from emulator.jobs.recipes.recipe import JobBroken

log = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""What the kernel is asked to keep of a pipe, where it can be asked: fewer turns between writer and reader."""

SHORTEST, LONGEST = 0.001, 0.05
"""Seconds between looks for a reader. Opening with a wait could not be ended but by opening the other side."""


class _Ended(Exception):
    """`close` was called."""


class _Enough(Exception):
    """The reader has closed its end: it wants no more of this epoch."""


class Feeder:
    """Feeds one channel, epoch after epoch, in a thread of its own. Owns its stream."""

    def __init__(self, name: str, folder: Path, stream: Stream) -> None:
        """Makes `<name>_0` in `folder`, which no program can reach yet."""
        self.failure = ""
        """Why the channel cannot be fed any further. Its pipe stays open then, so that the program waits instead of
        taking half an epoch for a whole one: who watches the program ends it, and closes the feeder."""
        self._name = name
        self._stream = stream
        self._closed = threading.Event()
        self._ending = threading.Lock()
        self._thread: threading.Thread | None = None
        with ExitStack() as opened:
            opened.callback(stream.close)
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            opened.callback(os.close, self._folder)
            self._ear, self._bell = os.pipe()
            opened.callback(os.close, self._ear)
            opened.callback(os.close, self._bell)
            self._make(0)
            self._opened = opened.pop_all()

    def start(self) -> None:
        """Begin with the first epoch, as soon as somebody opens its pipe."""
        with self._ending:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name=f"feed:{self._name}", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End at once; a reader sees the end of its file. Call it when the program is over. Idempotent."""
        with self._ending:
            if not self._closed.is_set():
                self._closed.set()
                os.write(self._bell, b".")
                if self._thread is None:
                    self._opened.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)

    # --- the thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            for number in itertools.count():
                self._feed(number)
        except _Ended:
            pass
        finally:
            with self._ending:
                self._closed.set()
                self._opened.close()

    def _feed(self, number: int) -> None:
        """One epoch. The pipe of the next one is there before this one ends: programs look for it then."""
        with ExitStack() as pipes:
            try:
                self._make(number + 1)
                pipe = pipes.enter_context(self._writing(number))
                with closing(self._stream.epoch(number)) as chunks, suppress(_Enough):
                    for chunk in chunks:
                        self._write(pipe, chunk)
                # Before it is closed: who opens it from now on is told that it is gone, instead of waiting for ever.
                with suppress(FileNotFoundError):
                    os.unlink(self._file(number), dir_fd=self._folder)
            except _Ended:
                raise
            except Exception as error:
                self._fail(error)
                self._closed.wait()
                raise _Ended from error

    def _fail(self, error: Exception) -> None:
        if isinstance(error, JobBroken):
            self.failure = str(error)
            return
        log.exception("the channel %s cannot be fed", self._name)
        self.failure = f"InternalServerError: The channel {self._name!r} cannot be streamed any further: {error!r}"

    @contextmanager
    def _writing(self, number: int) -> Iterator[int]:
        """The pipe of an epoch, once it has a reader."""
        pipe = self._opened_for_writing(number)
        try:
            if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
                raise JobBroken(f"AlgorithmError: The program put something else in the place of {self._file(number)}")
            with suppress(OSError, AttributeError):  # not Linux, or a user's share of such memory is used up
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            yield pipe
        finally:
            os.close(pipe)

    def _opened_for_writing(self, number: int) -> int:
        pause = SHORTEST
        while not self._closed.wait(pause):
            try:
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
                return os.open(self._file(number), flags, dir_fd=self._folder)
            except OSError as error:
                if error.errno != errno.ENXIO:  # ENXIO: nobody reads it yet
                    raise JobBroken(f"AlgorithmError: The pipe {self._file(number)} was spoilt: {error}") from error
            pause = min(pause * 2, LONGEST)
        raise _Ended

    def _write(self, pipe: int, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            if self._closed.is_set():
                raise _Ended
            try:
                view = view[os.write(pipe, view) :]
            except BlockingIOError:
                self._wait_for_room(pipe)
            except BrokenPipeError as error:
                raise _Enough from error

    def _wait_for_room(self, pipe: int) -> None:
        """Until something was read, the reader is gone, or the bell rings."""
        waiting = select.poll()
        waiting.register(pipe, select.POLLOUT)
        waiting.register(self._ear, select.POLLIN)
        waiting.poll()

    # --- pipes --------------------------------------------------------------------------------------------------

    def _file(self, number: int) -> str:
        return f"{self._name}_{number}"

    def _make(self, number: int) -> None:
        try:
            os.mkfifo(self._file(number), 0o644, dir_fd=self._folder)
        except FileExistsError as error:
            there = os.stat(self._file(number), dir_fd=self._folder, follow_symlinks=False)
            if not stat.S_ISFIFO(there.st_mode):
                raise JobBroken(
                    f"ClientError: The pipe {self._file(number)} cannot be made: something else has that name"
                ) from error
