"""Whether containers of an engine that runs elsewhere (in a virtual machine, rootless) reach this machine's loopback.

Docker Desktop forwards `host.docker.internal` to it; other engines may or may not. So it is tried, once an engine.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.executors.docker_engine import Engine

_TRY = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()"


def reaches_loopback(engine: Engine, name: str) -> bool:
    """Start a small container that connects to a port of this machine's loopback by the name `name`."""
    return bool(engine.once("reaches loopback", lambda: _tried_safely(engine, name)))


def _tried_safely(engine: Engine, name: str) -> bool:
    with contextlib.suppress(Exception):  # whatever the engine says against it, it does not work
        return _tried(engine, name)
    return False


def _tried(engine: Engine, name: str) -> bool:
    image = engine.any_own_image()
    if not image:
        return False
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        container = engine.client().containers.create(
            image, ["-c", _TRY, name, str(port)], entrypoint="python3", detach=True, use_config_proxy=False,
            extra_hosts={name: "host-gateway"}, cap_drop=["ALL"], security_opt=["no-new-privileges"],
        )  # fmt: skip
        try:
            container.start()
            return int(container.wait(timeout=15)["StatusCode"]) == 0
        finally:
            container.remove(v=True, force=True)
