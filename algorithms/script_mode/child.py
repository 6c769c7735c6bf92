"""Runs one program of the job: its output goes straight to the log, a SIGTERM goes to it, its end is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

KEPT = 64 * 1024
"""Bytes of the end of stderr that are remembered for the failure file."""
DRAIN_SECONDS = 1.0
TRACE = "Traceback (most recent call last):"
RANK = re.compile(r"^\[(?:rank|default)\d+\]:? ?", re.M)


class Stopped(Exception):
    """The job was told to stop while no program of its own could hear it."""


class Children:
    """Starts programs one after the other; whichever runs gets the SIGTERM that this process gets."""

    def __init__(self) -> None:
        self.stopped = False
        self._running: subprocess.Popen[bytes] | None = None
        signal.signal(signal.SIGTERM, self._pass_on)

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        """(exit status as subprocess tells it, the end of what was written to stderr)."""
        if self.stopped:
            raise Stopped
        reading, writing = os.pipe()
        kept = bytearray()
        try:
            with subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stderr=writing
            ) as process:
                self._running = process
                if self.stopped:
                    process.terminate()
                os.close(writing)
                writing = -1
                copying = threading.Thread(target=_copy, args=(reading, kept), daemon=True)
                copying.start()
                status = process.wait()
        except BaseException:
            os.close(reading)
            raise
        finally:
            self._running = None
            if writing >= 0:
                os.close(writing)
        # What the program left running in the background may hold its stderr open for ever.
        copying.join(DRAIN_SECONDS)
        return status, bytes(kept).decode("utf-8", "replace")

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        if self._running is not None:
            self._running.send_signal(number)


def _copy(source: int, kept: bytearray) -> None:
    while chunk := os.read(source, 1 << 16):
        kept += chunk
        del kept[:-KEPT]
        while chunk:
            chunk = chunk[os.write(2, chunk) :]
    os.close(source)


def shell_status(status: int) -> int:
    """An exit status as a shell tells it: 128 + n for a program that signal n ended."""
    return 128 - status if status < 0 else status


def told(stderr: str) -> str:
    """What went wrong, out of the end of stderr: the last exception, else the last line."""
    text = RANK.sub("", stderr).replace("\r", "\n")
    traces = text.split(TRACE)[1:]
    for trace in reversed([trace for trace in traces if "ChildFailedError" not in trace] or traces):
        said = _after_frames(trace)
        if said:
            return said
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _after_frames(trace: str) -> str:
    """The exception's own lines: those behind the indented ones, up to a blank one or the next kind of output."""
    lines = trace.splitlines()
    start = next((n for n, line in enumerate(lines) if line and not line.startswith(" ")), None)
    return "" if start is None else "\n".join(lines[start:]).strip()
