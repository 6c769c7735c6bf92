"""What the server asks a zygote to run: the text of `run.json`, the one message between the two sides."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

NAMESPACES = "namespaces"
BWRAP = "bwrap"
PLAIN = "plain"
SANDBOXES = (NAMESPACES, BWRAP, PLAIN)
"""In the order of preference. `plain` is no sandbox: SAGEMAKER_BASE_DIR stands for /opt/ml."""

SOCKET_FOLDER = "/run/sagelet"
BIN_FOLDER = "/run/bin"
SOCKET_NAME = "s"
"""Short, since the path of a unix socket has at most 107 bytes."""

FENCE = "fence"
"""Asks a zygote for the namespaces of an isolated cluster; every other message is the folder of a run, absolute."""


@dataclass(frozen=True)
class Request:
    """One program to run. All paths are absolute and without symbolic links.

    `folder` is the executor's own below RunSpec.folder; `program` is `module:function`; `mounts` are
    (outside, inside, read only), outer ones first; `hidden` is the data directory; `scratch` is the folder of the
    server's socket, removed with the run when it had to be made elsewhere because of its length. `command` is executed
    instead of `program` when there is one; `bins` are the first folders of PATH. `cluster` is (name, address) of every
    host of several; `fenced` is whether they share a network namespace that the zygote is handed. `memory` and
    `log_limit` are bytes, 0 for no limit.
    """

    folder: str
    log: str
    sandbox: str
    program: str
    arguments: tuple[str, ...] = ()
    prepare: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[tuple[str, str, bool], ...] = ()
    path: tuple[str, ...] = ()
    hidden: str = ""
    hostname: str = "algo-1"
    network: bool = True
    socket: str = ""
    scratch: str = ""
    command: tuple[str, ...] = ()
    bins: tuple[str, ...] = ()
    cluster: tuple[tuple[str, str], ...] = ()
    fenced: bool = False
    memory: int = 0
    log_limit: int = 0

    def save(self) -> None:
        """Write it, readable by this user only: the environment holds credentials of the role."""
        handle = os.open(os.path.join(self.folder, "run.json"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)

    @staticmethod
    def load(folder: str) -> Request:
        """Read what `save` wrote; OSError or ValueError when it is not there or not whole."""
        raw = json.loads(Path(folder, "run.json").read_text(encoding="utf-8"))
        known = {f.name: raw[f.name] for f in fields(Request) if f.name in raw}
        for name, value in known.items():
            if isinstance(value, list):
                known[name] = tuple(tuple(item) if isinstance(item, list) else item for item in value)
        return Request(**known)


def works() -> int:
    """The program that tries a sandbox: whether /opt/ml is there and can be written, and nothing else can."""
    return 0 if os.access("/opt/ml", os.W_OK) and not os.access("/etc", os.W_OK) else 1
