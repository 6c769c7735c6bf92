"""The job's own Python: a virtual environment over the packages of this one, so that what a job installs stays with it.

Made by hand because `venv` takes 40 ms only to be imported. Packages that are there already are seen through a .pth
file and not installed again; the interpreter of the server is never written to.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import site
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from algorithms.common.contract import Layout
from algorithms.script_mode import callers
from algorithms.script_mode.callers import Below

FOLDER = "job"
WHEELS = "sagemaker/pip"
SCRIPTS = {"pip": "pip", "pip3": "pip", "torchrun": "torch.distributed.run"}
"""Commands that the environment below would run with its own interpreter."""


@dataclass(frozen=True)
class Interpreter:
    """`python` is what runs the user's programs, `bin` the folder for the head of PATH."""

    folder: Path
    below: Below

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    @property
    def packages(self) -> Path:
        """Where the job's own packages are."""
        return self.folder / "lib" / f"python{self.below.minor}" / "site-packages"


@contextlib.contextmanager
def own(below: Below | None = None) -> Iterator[Interpreter]:
    """An environment over that Python, else ours, for the time of one job.

    Its path is always the same where the job has a /tmp of its own.
    """
    folder = Path(tempfile.gettempdir(), FOLDER)
    try:
        folder.mkdir()
    except FileExistsError:
        folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}-"))
    try:
        yield _lay(Interpreter(folder, below or ours()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def for_command() -> dict[str, str]:
    """The environment variables of a command that runs in an environment of its own, removed with the job's /tmp.

    That of a remote function lies over the Python that it was called from. `callers.NoCaller` where none is named.
    """
    layout = Layout.from_environment()
    remote = callers.is_remote(layout)
    below = callers.below() if remote else ours()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}-"))
    path = f"{_lay(Interpreter(folder, below)).bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, **wheels(layout), **(callers.ROOT if remote else {})}


def ours() -> Below:
    """The Python of the server."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return Below(Path(base), ".".join(map(str, sys.version_info[:3])), tuple(site.getsitepackages()))


def wheels(layout: Layout) -> dict[str, str]:
    """Where pip keeps wheels for later jobs: in the folder that the house mounts, unless the environment says where."""
    folder = layout.base / WHEELS
    if "PIP_CACHE_DIR" in os.environ or not os.access(folder, os.W_OK):
        return {}
    return {"PIP_CACHE_DIR": str(folder)}


def _lay(made: Interpreter) -> Interpreter:
    below = made.below
    made.packages.mkdir(parents=True)
    made.bin.mkdir()
    settings = f"home = {below.base.parent}\ninclude-system-site-packages = false\nversion = {below.version}\n"
    (made.folder / "pyvenv.cfg").write_text(settings, encoding="utf-8")
    for name in ("python", "python3", f"python{below.minor}"):
        (made.bin / name).symlink_to(below.base)
    for name, module in SCRIPTS.items():
        script = made.bin / name
        script.write_text(f'#!/bin/sh\nexec "{made.python}" -m {module} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    lines = [f"import site; site.addsitedir({folder!r})\n" for folder in below.packages]
    (made.packages / "below.pth").write_text("".join(lines), encoding="utf-8")
    return made
