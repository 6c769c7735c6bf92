"""Becomes the program: the last steps in the forked process, and the running of `module:function` as a program."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import io
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from emulator.executors.process import bubblewrap, command, linux, sandbox
from emulator.executors.process.request import BWRAP, NAMESPACES, SOCKET_FOLDER, SOCKET_NAME, Request

ENTRY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "entry.py")
FAILED_TO_START = 127
FIRST_TO_GO = "500"
"""When the machine runs out of memory, a program is ended before the server and the supervisors are."""

SEEDS: Mapping[str, Callable[[Any], object]] = {
    "numpy.random": lambda library: library.seed(),
    "torch": lambda library: library.default_generator.seed(),
}
"""How libraries that a zygote has imported draw numbers of their own in each program; `random` does it itself."""


def become(request: Request, output: int, problems: int, info: int) -> None:
    """Turn this freshly forked process into the program; never returns.

    `output` receives its stdout and stderr; `problems` a sentence when it cannot be started, and is closed when it has
    been; `info` is for bwrap.
    """
    try:
        _leave_the_supervisor(output)
        if request.sandbox == BWRAP:
            _execute_in_bwrap(request, info, problems)
        _enter(request)
        os.closerange(3, problems)
        os.closerange(problems + 1, _most_files())
        if request.command:
            os.environ.update(prepared(request.prepare, request.path))
            command.execute(command.words(request), os.environ)
        forget_the_zygote(request.path)
        os.close(problems)
    except BaseException as error:
        os.write(problems, str(error).encode()[:2000] or b"?")
        os._exit(FAILED_TO_START)
    os._exit(finish(run(request.program, request.arguments)))


def environment(request: Request) -> dict[str, str]:
    """All that the program finds in its environment."""
    sandboxed = request.sandbox != "plain"
    private = "/tmp" if sandboxed else os.path.join(request.folder, "tmp")
    own = {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH") if name in os.environ}
    own |= {"HOME": f"{private}/home", "TMPDIR": private, "HOSTNAME": request.hostname, "PYTHONUNBUFFERED": "1"}
    own["PATH"] = command.search_path(request, own.get("PATH", ""))
    own |= dict(request.environment)
    if request.socket:
        own["SAGEMAKER_BIND_TO_SOCKET"] = f"{SOCKET_FOLDER}/{SOCKET_NAME}" if sandboxed else request.socket
    if not sandboxed:
        own["SAGEMAKER_BASE_DIR"] = next((o for o, inside, _ in request.mounts if inside == "/opt/ml"), private)
    return own


def run(program: str, arguments: tuple[str, ...]) -> int:
    """Call `module:function` as the interpreter calls a script: what it returns or raises is the exit status."""
    module, _, name = program.partition(":")
    sys.argv = [module, *arguments]
    try:
        code = getattr(importlib.import_module(module), name)()
    except SystemExit as over:
        code = over.code
    except BaseException as error:
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(type(error), error, trace)
        return 1
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def finish(code: int) -> int:
    """What the interpreter does at its end, except tearing itself down, which takes longer than some jobs."""
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    return code


def _leave_the_supervisor(output: int) -> None:
    linux.die_with_parent(signal.SIGKILL)
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.umask(0o022)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write(FIRST_TO_GO)


def _enter(request: Request) -> None:
    wanted = environment(request)
    if request.sandbox == NAMESPACES:
        sandbox.enter(request)
    else:
        _link_mounts(request)
    os.environ.clear()
    os.environ.update(wanted)
    os.makedirs(wanted["HOME"], exist_ok=True)
    os.chdir(wanted["HOME"])


def _link_mounts(request: Request) -> None:
    """Without a sandbox a mount below /opt/ml is a symbolic link in the folder that stands for it."""
    base = next((outside for outside, inside, _ in request.mounts if inside == "/opt/ml"), None)
    for outside, inside, _ in request.mounts:
        if base is None or not inside.startswith("/opt/ml/"):
            continue
        link = os.path.join(base, os.path.relpath(inside, "/opt/ml"))
        if os.path.realpath(link) == outside:
            continue
        os.makedirs(os.path.dirname(link), exist_ok=True)
        with contextlib.suppress(OSError):
            os.rmdir(link)
        os.symlink(outside, link)


def prepared(prepare: str, path: tuple[str, ...]) -> dict[str, str]:
    """What the family's `module:function` makes ready for a command, as further variables of its environment."""
    if not prepare:
        return {}
    sys.path[:0] = [p for p in path if p not in sys.path]
    tempfile.tempdir = None
    module, _, name = prepare.partition(":")
    made: dict[str, str] = getattr(importlib.import_module(module), name)()
    return made


def execute(words: list[str], problems: int, prepare: str) -> None:
    """Inside bwrap: become the command, or write to `problems` why not."""
    os.set_inheritable(problems, False)
    try:
        os.environ.update(prepared(prepare, ()))
        command.execute(words, os.environ)
    except OSError as error:
        os.write(problems, str(error).encode()[:2000])
        os._exit(FAILED_TO_START)


def _execute_in_bwrap(request: Request, info: int, problems: int) -> None:
    os.set_inheritable(info, True)
    task: dict[str, object] = {"role": "program", "path": request.path}
    task |= {"program": request.program, "arguments": request.arguments}
    if request.command:
        os.set_inheritable(problems, True)
        task = {"role": "command", "path": request.path, "words": command.words(request), "problems": problems}
        task |= {"prepare": request.prepare}
    wanted = environment(request)
    os.makedirs(os.path.join(request.folder, "tmp", "home"), exist_ok=True)
    found = bubblewrap.find()
    if not found:
        raise OSError("bwrap is not installed; on Debian and Ubuntu: apt install bubblewrap")
    start = [*bubblewrap.command(found, request, info), sys.executable, "-I", ENTRY, json.dumps(task)]
    try:
        os.execve(found, start, wanted)
    except OSError as error:
        raise OSError(command.reason(request.command[0] if request.command else found, error)) from error


def forget_the_zygote(path: tuple[str, ...] = ()) -> None:
    """Undo what a program of its own would not have inherited: buffers, seeds, cached folders, thread limits. `path` is
    put at the head of where modules are found."""
    sys.path[:0] = [p for p in path if p not in sys.path]
    tempfile.tempdir = None
    time.tzset()
    for name, handle in (("stdout", 1), ("stderr", 2)):
        stream = _stream(handle)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    for library, seed in SEEDS.items():
        if library in sys.modules:
            seed(sys.modules[library])
    threads = sys.modules.get("emulator.executors.process.threads")
    if threads is not None:
        threads.restore()


def _stream(handle: int) -> io.TextIOWrapper:
    """Unbuffered, as the platform's containers set it: a line is in the log when it was printed."""
    raw = io.FileIO(handle, "w", closefd=False)
    buffered = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffered, "utf-8", "backslashreplace", line_buffering=True, write_through=True)


def _most_files() -> int:
    return min(os.sysconf("SC_OPEN_MAX"), 1 << 20)
