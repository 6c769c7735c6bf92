"""The caller's own command: what its PATH holds, how it is executed in the sandbox, and why it cannot be.

`make_bins` is the server's side; the rest runs in the program's process.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from emulator.executors.process.request import BIN_FOLDER, PLAIN, Request

USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_WRAPPERS = {"python": "", "python3": "", "pip": " -m pip", "pip3": " -m pip"}


def make_bins(folder: str) -> bool:
    """Fill `folder` with the names that scripts call the interpreter and its pip by, where a venv lacks them.

    Scripts, not links: through a link the interpreter would not find its venv. False when none was missing.
    """
    beside = os.path.dirname(sys.executable)
    missing = [name for name in _WRAPPERS if not os.path.exists(os.path.join(beside, name))]
    if missing:
        os.makedirs(folder, exist_ok=True)
    for name in missing:
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as script:
            script.write(f"#!/bin/sh\nexec '{sys.executable}'{_WRAPPERS[name]} \"$@\"\n")
        os.chmod(path, 0o755)
    return bool(missing)


def search_path(request: Request, inherited: str) -> str:
    """PATH: the family's own commands, the interpreter that has our libraries, then the machine's."""
    return os.pathsep.join([*request.bins, inherited or USUAL_PATH])


def bins_mount(request: Request) -> list[tuple[str, str, bool]]:
    """The folder that `make_bins` filled, where the program sees it."""
    return [(os.path.join(request.folder, "bin"), BIN_FOLDER, True)] if BIN_FOLDER in request.bins else []


def words(request: Request) -> list[str]:
    """The command; without a sandbox, paths below /opt/ml name the folder that stands for it."""
    base = next((outside for outside, inside, _ in request.mounts if inside == "/opt/ml"), "")
    if request.sandbox != PLAIN or not base:
        return list(request.command)
    return [base + w[len("/opt/ml") :] if w == "/opt/ml" or w.startswith("/opt/ml/") else w for w in request.command]


def execute(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become the command; OSError with a sentence that names the program when that is impossible."""
    program = _find(command[0], environment.get("PATH", USUAL_PATH))
    # Python ignores these; a program that was started by a shell would find them as they are by default.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(program, list(command), dict(environment))
    except OSError as error:
        raise OSError(reason(program, error)) from error
    except ValueError as error:
        raise OSError(f"the command or its environment holds what no program can be given ({error})") from error


def _find(name: str, path: str) -> str:
    if "/" in name:
        return name
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise OSError(f"there is no program named {name!r} in the folders of PATH ({path})")


def reason(program: str, error: OSError) -> str:
    """Why `program` could not be executed."""
    if error.errno == errno.ENOENT:
        if not os.path.exists(program):
            return f"there is no file {program}"
        return f"{program} names an interpreter that is not here: {_first_line(program)}"
    if error.errno == errno.EACCES:
        if os.path.isdir(program):
            return f"{program} is a folder, not a program"
        return (
            f"{program} may not be executed: name its interpreter in front of it (python3, /bin/bash), "
            "or set its execute permission"
        )
    if error.errno == errno.ENOEXEC:
        return f"{program} is neither a program for this machine nor a script that begins with #! and its interpreter"
    if error.errno == errno.E2BIG:
        return f"the arguments and the environment of {program} are longer than the system takes"
    return f"{program}: {error.strerror}"


def _first_line(program: str) -> str:
    try:
        with open(program, "rb") as file:
            return file.readline(200).decode("utf-8", "replace").strip() or "its first line is empty"
    except OSError:
        return "its first line cannot be read"
