"""Why a program failed, in the words of a FailureReason: its own failure file, else its exit status and last lines."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from emulator.jobs.lifecycle import INTERNAL
from emulator.jobs.record import REASON_LIMIT
from emulator.ports import Exit, ExitReason, LogLine

PREFIXES = ("AlgorithmError:", "ClientError:", "CustomerError:", "Customer Error:", "InternalServerError:")
TAIL_LINES = 12


def judged(over: Exit, image: str, failure_file: Path, lines: Iterable[LogLine]) -> str:
    """The failure of a run that is over; empty when it did not fail."""
    if over.reason is ExitReason.NOT_STARTED:
        return f"ClientError: Cannot run image '{image}'. {over.detail}"
    if over.reason is ExitReason.LOST:
        return f"{INTERNAL} (The run is gone: {over.detail or 'no exit status was found'})"
    if over.reason is ExitReason.STOPPED:
        return f"{INTERNAL} (The run was ended with the server.)"
    if not over.code:
        return ""
    told = _told(failure_file)
    ending = f", exit code: {_shell_code(over.code)}"
    if told:
        text = told if told.startswith(PREFIXES) else f"AlgorithmError: {told}"
        return text[: REASON_LIMIT - len(ending)] + ending
    return _untold(over, lines)


def _told(path: Path) -> str:
    """The first characters of the file; a program may have written anything there, or a folder."""
    try:
        with path.open("rb") as file:
            return file.read(4 * REASON_LIMIT).decode("utf-8", "replace").strip()[:REASON_LIMIT]
    except OSError:
        return ""


def _untold(over: Exit, lines: Iterable[LogLine]) -> str:
    code = over.code or 0
    why = f"{over.detail} " if over.detail else _killed(code)
    head = f"AlgorithmError: {why}exit code: {_shell_code(code)}"
    tail = [line.message for line in deque(lines, TAIL_LINES) if line.message.strip()]
    if not tail:
        return f"{head}. The program wrote no failure file and no log."
    text = "\n".join(tail)
    head += ". The last lines of the log:\n"
    return head + text[-(REASON_LIMIT - len(head)) :]


def _killed(code: int) -> str:
    number = _shell_code(code) - 128
    if number <= 0 or number not in {s.value for s in signal.Signals}:
        return ""
    hint = " (out of memory?)" if number == signal.SIGKILL else ""
    return f"the program was killed by {signal.Signals(number).name}{hint}, "


def _shell_code(code: int) -> int:
    """A program killed by signal n ends with -n in a process and 128 + n in a container: one number for both."""
    return 128 - code if code < 0 else code
