"""SNS delivers to queues of this machine. What would leave it is refused when it is asked for, not when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.errors import NotBuilt
from emulator.neighbours.asked import Asked
from emulator.neighbours.http import HttpReply
from emulator.neighbours.services import NETWORK

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

DELIVERED = ("sqs", "email", "email-json")
"""Protocols that can be subscribed. Mail is never sent before its reader has confirmed, and nobody here confirms."""


def subscribe(front: Neighbours, asked: Asked) -> HttpReply | None:
    """Refuses what could not be delivered."""
    protocol = asked.params().get("Protocol", "")
    if protocol and protocol not in DELIVERED:
        raise NotBuilt(f"sns Subscribe with Protocol {protocol!r} is refused: {NETWORK}.")
    return None


def publish(front: Neighbours, asked: Asked) -> HttpReply | None:
    """Refuses text messages to telephones."""
    if asked.params().get("PhoneNumber"):
        raise NotBuilt(f"sns Publish to a PhoneNumber is refused: {NETWORK}.")
    return None
