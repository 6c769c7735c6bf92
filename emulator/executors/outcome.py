"""How a run ended, as those executors keep it whose runs are the server's own: told once, to whoever waits for it."""

from __future__ import annotations

import threading

from emulator.ports import Exit


class Outcome:
    """None yet, or the first exit that was given. Thread safe."""

    def __init__(self) -> None:
        self.exit: Exit | None = None
        self._changed = threading.Condition()
        self._told = False
        self._closed = False

    def end(self, over: Exit) -> None:
        """It is over; what comes later counts no more."""
        with self._changed:
            self.exit = self.exit or over
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody is told any more: who waits goes on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def tell(self, timeout: float | None) -> Exit | None:
        """The exit, once; None when it was told, when `timeout` seconds passed, or when it is closed without one."""
        with self._changed:
            self._changed.wait_for(lambda: self.exit is not None or self._closed, timeout)
            if self.exit is None or self._told:
                return None
            self._told = True
            return self.exit
