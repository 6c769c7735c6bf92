"""The Python of the program that sent a pickled object: what unpickles it runs over the packages of that one.

`@remote` of the SDK ships the function pickled and a shell script that calls `python -m sagemaker...invoke_function`;
`ModelBuilder` ships the model pickled beside a script that imports the SDK. Both need the caller's version of Python
and the SDK. AWS's images have neither, and pip installs the SDK into each. Here the caller is on the same machine: an
activated program says which Python it is, or a setting does.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from algorithms.common.contract import Layout

CALLER = "SAGELET_REMOTE_PYTHON"
"""In the environment of the job or model: the Python of the caller. Activation sets it, else the setting of that name.
"""

BOOTSTRAP = "sagemaker_remote_function_bootstrap"
"""The channel with the SDK's scripts, by which a remote function's job is known."""

PICKLED = "serve.pkl"
"""The model and its schema as ModelBuilder packs them beside its script, by which its model is known."""

SDK = "sagemaker"
NEEDED = f"{SDK}.serve"
"""What ModelBuilder's script imports."""

HIDDEN = "/tmp and /run"
REMEDY = (
    'run the program activated (sagelet run -- python ..., or eval "$(sagelet env)"), or start the server with '
    f"{CALLER}=PATH, a Python that has the SageMaker SDK."
)

ROOT = {"LOGNAME": "root"}
"""The bootstrap makes /opt/ml writable with `sudo` where the user has another name: here it is writable."""

ASK = """import json, site, sys
print(json.dumps([sys._base_executable, sys.version.split()[0], site.getsitepackages()]))"""


class NoCaller(OSError):
    """There is no Python to run a caller's object with; the message says why and what helps."""


@dataclass(frozen=True)
class Below:
    """An interpreter without its environment, its version (`3.11.7`), and the folders of its packages."""

    base: Path
    version: str
    packages: tuple[str, ...]

    @property
    def minor(self) -> str:
        """`3.11`."""
        return ".".join(self.version.split(".")[:2])


def is_remote(layout: Layout) -> bool:
    """Whether the job was made by `@remote`."""
    return layout.channel(BOOTSTRAP).is_dir()


def is_built(code: Path | None) -> bool:
    """Whether the code of a model was packed by ModelBuilder."""
    return code is not None and (code / PICKLED).is_file()


def in_sight() -> bool:
    """Whether a Python is named that is there: in a container none of the machine's is."""
    return bool(python := os.environ.get(CALLER)) and Path(python).exists()


def unseen() -> str:
    """A sentence where a Python is named that is not there; else nothing."""
    python = os.environ.get(CALLER)
    if not python or in_sight():
        return ""
    return f" {CALLER} is {python}, which is not seen here (nothing below {HIDDEN} is)."


def below(what: str = "A remote function") -> Below:
    """What the job's environment is laid over; NoCaller where no Python is named, or not one that jobs can see."""
    python = os.environ.get(CALLER, "")
    if not python:
        raise NoCaller(f"{what} runs in the Python that it comes from, and the request names none: {REMEDY}")
    try:
        told = subprocess.run([python, "-I", "-c", ASK], capture_output=True, text=True, check=True, timeout=60)
        base, version, packages = json.loads(told.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NoCaller(
            f"{what} runs in the Python that it comes from ({CALLER}={python}), which cannot be run in a job: "
            f"{error}. Jobs do not see {HIDDEN} of this machine: use an environment that lies elsewhere."
        ) from error
    return Below(Path(base), version, tuple(packages))
