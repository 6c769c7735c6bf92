"""How a model server's program calls the house that it serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulator.call import Scope


@dataclass(frozen=True)
class WayBack:
    """How a program calls the house: its URL on the loopback of this machine, and temporary credentials of a role, as
    environment variables, by (role ARN, scope)."""

    url: Callable[[], str] = lambda: ""
    credentials: Callable[[str, Scope], Mapping[str, str]] = lambda role, scope: {}
