"""The same view by `bwrap`, for systems that refuse user namespaces to everybody but it (AppArmor, set-user-id)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from emulator.executors.process.request import Request
from emulator.executors.process.sandbox import PRIVATE, all_mounts, hosts, own_code

_OWN = ("dev", "proc", "run", "tmp", "lost+found")


def find() -> str | None:
    """The path of bwrap, where it is installed."""
    return shutil.which("bwrap")


def command(bwrap: str, request: Request, info: int) -> list[str]:
    """The command up to the program; bwrap reports the pid of its init as JSON on the file descriptor `info`."""
    parts = [bwrap, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--info-fd", str(info)]
    parts += ["--cap-drop", "ALL", "--hostname", request.hostname, "--chdir", "/tmp"]
    if not request.network:
        parts.append("--unshare-net")
    missing = [inside for _, inside, _ in all_mounts(request) if not os.path.isdir(inside)]
    parts += _machine("", [place for place in missing if place.split("/")[1] not in _OWN])
    parts += ["--proc", "/proc", "--dev", "/dev", "--dir", "/run"]
    covered = ["/"]
    if request.hidden and not request.hidden.startswith(PRIVATE):
        parts += ["--tmpfs", request.hidden]
        covered.append(request.hidden)
    for outside, inside, read_only in all_mounts(request):
        parts += ["--ro-bind" if read_only else "--bind", outside, inside]
    for path in own_code(request):
        parts += ["--ro-bind", path, path]
    if os.path.isfile("/etc/hosts"):
        parts += ["--ro-bind", hosts(request), "/etc/hosts"]
    for path in covered:
        parts += ["--remount-ro", path]
    return [*parts, "--"]


def _machine(folder: str, missing: list[str]) -> list[str]:
    parts: list[str] = []
    for name in sorted(os.listdir(folder + "/")):
        path = f"{folder}/{name}"
        below = [place for place in missing if place.startswith(path + "/")]
        if not folder and name in _OWN:
            continue
        if os.path.islink(path):
            parts += ["--symlink", os.readlink(path), path]
        elif below and os.path.isdir(path):
            parts += ["--dir", path, *_machine(path, below)]
        elif folder or os.path.isdir(path):
            parts += ["--ro-bind-try", path, path]
    return parts


def signal_target(init: int) -> int:
    """The program's pid: the first child of bwrap's init. The init itself while there is none."""
    try:
        children = Path(f"/proc/{init}/task/{init}/children").read_text().split()
    except OSError:
        return init
    return int(children[0]) if children else init
