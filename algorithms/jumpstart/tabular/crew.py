"""The hosts of one training job, seen from one of them: what they tell each other, and how all end when one fails."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common.failing import CLIENT, Refused, tell

ALGORITHM = "AlgorithmError"
LINGER = 3.0
"""Seconds between a host's silent death and the end of the others: the service is to see first who was first."""
BLAME_SECONDS = 2.0
"""How long after a broken line to another host it may take to hear what became of that host."""


@dataclass(frozen=True)
class Crew:
    """`names` are all hosts, `current` is this one; the first of them leads. A crew of one has no peers."""

    names: tuple[str, ...] = ("algo-1",)
    current: str = "algo-1"
    peers: Any = None

    @property
    def size(self) -> int:
        """How many hosts."""
        return len(self.names)

    @property
    def rank(self) -> int:
        """The place of this host."""
        return self.names.index(self.current)

    @property
    def leads(self) -> bool:
        """Whether it is this host that prints metrics and saves the model."""
        return self.rank == 0

    def gather(self, mine: Any) -> list[Any]:
        """What each host gives (as JSON has it), in their order."""
        if self.peers is None:
            return [mine]
        told: list[Any] = self.peers.call_roll(mine, lambda _: None)[0]
        return told

    def decide(self, choice: Any) -> Any:
        """What the first host has chosen."""
        return choice if self.peers is None else self.peers.call_roll(None, lambda _: choice)[1]


def hosts() -> list[str]:
    """The names of the job's hosts."""
    found: list[str] = json.loads(os.environ.get("SM_HOSTS", "[]"))
    return found


def run(work: Callable[[Crew], None]) -> None:
    """Do the work with all hosts; the process ends when another host fails."""
    names = tuple(hosts())
    if len(names) < 2:
        work(Crew())
        return
    from tabular.peers import PeerFailed, Peers

    peers = Peers(names, os.environ["SM_CURRENT_HOST"], _end)
    try:
        work(Crew(names, peers.current, peers))
    except PeerFailed:
        threading.Event().wait()
    except Refused as mistake:
        peers.fail(CLIENT, str(mistake))
        raise
    except Exception as error:
        if peers.has_failed(BLAME_SECONDS):
            threading.Event().wait()
        peers.fail(ALGORITHM, f"{type(error).__name__}: {error}")
        raise
    peers.leave()


def _end(fault: str, sentence: str, said: bool) -> None:
    """Another host has failed: so does this process, whatever library it is in."""
    if not said:
        time.sleep(LINGER)
    tell(f"{fault}: {sentence}")
    sys.stdout.flush()
    os._exit(1)
