"""Doors to the house for the programs in a network: opened by the first that has its key, closed with the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from emulator.ports import Gateways, RunSpec

DOOR_FILE = "docker-door.json"


@dataclass(frozen=True)
class Door:
    """Where one is, and for whom. The key is kept, for who adopts a run does not know it; the secret is not."""

    host: str
    port: int
    key: str = ""


class Doors:
    """Those of all networks. `gateways` gives the house's, once there are any. The caller's lock guards it."""

    def __init__(self, gateways: Callable[[], Gateways | None]) -> None:
        self._gateways = gateways
        self._open: dict[str, dict[str, Door]] = {}
        """By network and access key."""

    @property
    def any(self) -> bool:
        """Whether this server opens doors at all."""
        return self._gateways() is not None

    def open(self, network: str, wanted: Door) -> Door:
        """The door of a network for a key, on any free port where `wanted` says 0; OSError when it cannot be opened."""
        gateways, here = self._gateways(), self._open.setdefault(network, {})
        if gateways is None or not wanted.key:
            return wanted
        if wanted.key not in here:
            port = gateways.open(wanted.host, wanted.key, wanted.port)
            here[wanted.key] = Door(wanted.host, port, wanted.key)
        return here[wanted.key]

    def close(self, network: str) -> None:
        """All of a network."""
        gateways = self._gateways()
        for door in self._open.pop(network, {}).values():
            if gateways is not None:
                gateways.close(door.host, door.port)

    def close_all(self) -> None:
        """The server stops."""
        for network in list(self._open):
            self.close(network)


def remember(spec: RunSpec, door: Door) -> None:
    """In the run's folder, for the server that adopts it."""
    (spec.folder / DOOR_FILE).write_text(json.dumps(asdict(door)), encoding="utf-8")


def remembered(folder: Path) -> Door | None:
    """The door that a run had; None without one."""
    try:
        told = json.loads((folder / DOOR_FILE).read_text(encoding="utf-8"))
        return Door(str(told["host"]), int(told["port"]), str(told.get("key", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
