"""How a program of the user's ended badly, in the words of the training toolkit."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 4096
KILLED = 137


class ScriptFailed(Exception):
    """A program that ended with a status other than 0; `text` is what the failure file says."""

    def __init__(self, name: str, status: int, message: str, command: Sequence[str]) -> None:
        extra = '\nExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"' if status == KILLED else ""
        shown = message[:LONGEST]
        self.text = f'{name}:\nExitCode {status}\nErrorMessage "{shown}"{extra}\nCommand "{" ".join(command)}"'
        self.status = status
        super().__init__(self.text)
