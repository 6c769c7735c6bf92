"""Why a program failed, in the words of a FailureReason: its own failure file, else its exit status and last lines."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable

from emulator.jobs.lifecycle import INTERNAL
from emulator.jobs.record import REASON_LIMIT
from emulator.ports import Exit, ExitReason, LogLine

PREFIXES = ("AlgorithmError:", "ClientError:", "CustomerError:", "Customer Error:", "InternalServerError:")
TAIL_LINES = 12
TOLD_BYTES = 4 * REASON_LIMIT
"""Bytes of a failure file that are looked at: a character has four at the most."""


def judged(over: Exit, image: str, told: bytes, lines: Iterable[LogLine]) -> str:
    """The failure of a run that is over; empty when it did not fail. `told` is how its failure file begins."""
    if over.reason is ExitReason.NOT_STARTED:
        # Whether there is an image was asked before: what does not start then lacks a program, or was to be pulled.
        what = "pull image" if "pull" in over.detail else "run image"
        return f"ClientError: Cannot {what} '{image}'. {over.detail}"
    if over.reason is ExitReason.LOST:
        return f"{INTERNAL} (The run is gone: {over.detail or 'no exit status was found'})"
    if over.reason is ExitReason.STOPPED:
        return f"{INTERNAL} (The run was ended with the server.)"
    if not over.code:
        return ""
    reason = told.decode("utf-8", "replace").strip()[:REASON_LIMIT]
    ending = f", exit code: {_shell_code(over.code)}"
    if reason:
        text = reason if reason.startswith(PREFIXES) else f"AlgorithmError: {reason}"
        return text[: REASON_LIMIT - len(ending)] + ending
    return _untold(over, lines)


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
