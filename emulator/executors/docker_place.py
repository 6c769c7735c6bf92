"""Where this server stands as its engine sees it: beside it, inside one of its containers, or on another machine."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker import DockerClient

MOUNTS = Path("/proc/self/mountinfo")
# The engine mounts a file of the container's own folder over /etc/hostname. (On the engine's machine itself other
# mounts bear the ids of containers that run.)
_OWN_ID = re.compile(r"containers/([0-9a-f]{64})/(?:userdata/)?hostname /etc/hostname ")
_LOOPBACK = re.compile(r"(tcp|http|https)://(127\.|localhost[:/]|\[::1\])")


class NotShared(Exception):
    """The engine cannot see a folder of the server's container; the text is a sentence with the remedy."""


@dataclass(frozen=True)
class Place:
    """`container` is the server's own container, if it runs in one of this engine's; `mounts` are that container's
    (path inside, path of the engine's machine), the deepest first. `near` is whether engine and server may share
    their addresses: a remote engine's bridge may have the address of a bridge of this machine.
    """

    container: str = ""
    mounts: tuple[tuple[str, str], ...] = ()
    near: bool = True

    def outside(self, path: Path) -> str:
        """What the engine calls a folder of the server."""
        real = path.resolve()
        if not self.container:
            return str(real)
        for inside, source in self.mounts:
            if real.is_relative_to(inside):
                return str(Path(source) / real.relative_to(inside))
        raise NotShared(
            f"The folder {real} lies in the server's own container, where the engine cannot mount it into another: "
            "keep the data directory on a volume (docker run -v sagelet:/data, as docker-compose.yml does)."
        )

    def mark(self, path: Path) -> str:
        """What tells a data directory from all others of the engine: several servers in containers may have a /data."""
        try:
            return self.outside(path)
        except NotShared:
            return f"{self.container}:{path.resolve()}"


HERE = Place()
"""Beside the engine, on its machine."""


def find_place(client: DockerClient, url: str) -> Place:
    """The place of this process, seen from the engine that `client` talks to at `url`."""
    near = url.startswith("unix://") or bool(_LOOPBACK.match(url))
    for name in _own_names():
        attributes = _inspect(client, name)
        if attributes:
            pairs = [(mount["Destination"], mount["Source"]) for mount in attributes.get("Mounts") or ()]
            deepest = sorted(pairs, key=lambda pair: len(pair[0]), reverse=True)
            return Place(str(attributes["Id"]), tuple(deepest), near)
    return Place(near=near)


def _own_names() -> list[str]:
    """What this process's container may be called, if it is in one."""
    try:
        found = _OWN_ID.findall(MOUNTS.read_text())
    except OSError:
        return []
    host = socket.gethostname()
    return list(dict.fromkeys([*found, *([host] if re.fullmatch(r"[0-9a-f]{12}", host) else [])]))


def _inspect(client: DockerClient, name: str) -> dict[str, Any]:
    from docker.errors import NotFound

    try:
        found: dict[str, Any] = client.api.inspect_container(name)
    except NotFound:
        return {}
    return found
