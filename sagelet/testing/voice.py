"""What a function prints goes to the log of its job: standard output and error, told apart by thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

Say = Callable[[str], None]

_whose = threading.local()
_installing = threading.Lock()
_users = 0


class _ByThread:
    """Stands for a stream of `sys`: a thread that has a voice is heard there, everybody else where it was."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        say: Say | None = getattr(_whose, "say", None)
        if say is None:
            return self._stream.write(text)
        say(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def heard_by(say: Say) -> Iterator[None]:
    """What this thread prints in the block is said there. Threads that it starts have no part in it."""
    _whose.say = say
    try:
        yield
    finally:
        del _whose.say


@contextmanager
def listening() -> Iterator[None]:
    """While there are such blocks, the streams of `sys` are told apart."""
    global _users
    with _installing:
        _users += 1
        for name in ("stdout", "stderr"):
            if not isinstance(getattr(sys, name), _ByThread):
                setattr(sys, name, _ByThread(getattr(sys, name)))
    try:
        yield
    finally:
        with _installing:
            _users -= 1
            for name in ("stdout", "stderr") if not _users else ():
                stream = getattr(sys, name)
                if isinstance(stream, _ByThread):  # else somebody (pytest's capsys) has put another there since
                    setattr(sys, name, stream._stream)
