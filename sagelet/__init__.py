"""The name plate: what a user's own process imports. It starts and stops the server as a separate process.

This room imports none of the others; the server process finds them by path (see `sagelet/launch.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagelet import testing
    from sagelet.activation import Activation, activate, running
    from sagelet.server import Server

__all__ = ["Activation", "Server", "activate", "running", "testing"]

__version__ = "0.1.0"

_PLACES = {"Activation": "activation", "Server": "server", "activate": "activation", "running": "activation"}


def __getattr__(name: str) -> Any:
    """What programs use, imported when it is first asked for: `sagelet up` needs none of it."""
    from importlib import import_module

    if name == "testing":
        return import_module("sagelet.testing")
    if name not in _PLACES:
        raise AttributeError(f"module 'sagelet' has no attribute {name!r}")
    return getattr(import_module(f"sagelet.{_PLACES[name]}"), name)
