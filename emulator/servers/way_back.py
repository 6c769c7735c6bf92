"""How a model server's program calls the house that it serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulator.call import Scope

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def unmixed(credentials: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """What a program gets of its role's credentials beside its `own` variables: a key of theirs does not go with the
    token of another one."""
    mixed = "AWS_ACCESS_KEY_ID" in own
    return {name: value for name, value in credentials.items() if not (mixed and name in KEYS)}


@dataclass(frozen=True)
class WayBack:
    """How a program calls the house: its URL on the loopback of this machine, and temporary credentials of a role, as
    environment variables, by (role ARN, scope). `python` is the one of callers that do not say theirs; may be empty."""

    url: Callable[[], str] = lambda: ""
    credentials: Callable[[str, Scope], Mapping[str, str]] = lambda role, scope: {}
    python: str = ""
