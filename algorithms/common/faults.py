"""Whose fault it is that a job ends: the user's (`UserError`), or ours (anything else)."""

from __future__ import annotations


class UserError(Exception):
    """What the user can put right: told in one sentence, without a traceback."""


class Refusal(Exception):
    """An invocation that is answered with an error status and a text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
