"""The user's requirements.txt and modules, installed by pip into the job's own environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import machinery, util
from pathlib import Path

from algorithms.common.faults import UserError
from algorithms.script_mode.child import Children, shell_status
from algorithms.script_mode.failed import ScriptFailed
from algorithms.script_mode.interpreter import Interpreter
from algorithms.script_mode.log import say

REQUIREMENTS = "requirements.txt"
QUIET = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_NO_WARN_SCRIPT_LOCATION": "1",
    "PIP_RETRIES": "2",
}
"""pip's settings where the job's environment does not say otherwise: its five retries take long without a network."""
ABSENT = re.compile(r"No matching distribution found for (.+)")
MISSING_BUILD = re.compile(r"Could not find a version that satisfies the requirement (.+?) \(from versions: none\)")


def install(children: Children, python: Interpreter, code: Path, module: bool, environment: Mapping[str, str]) -> None:
    """Install the module in `code` (when it is one) and its requirements.txt (when there is one)."""
    words = [python.python, "-m", "pip", "install"]
    if module:
        words += [*_build_options(code), "."]
    if (code / REQUIREMENTS).is_file():
        words += ["-r", REQUIREMENTS]
    elif not module:
        return
    if machinery.PathFinder.find_spec("pip", list(python.below.packages)) is None:
        where = python.below.packages[0]
        raise UserError(f"{REQUIREMENTS} cannot be installed: there is no pip in {where}: python -m ensurepip adds it.")
    if os.environ.get("CA_REPOSITORY_ARN"):
        say("CA_REPOSITORY_ARN is not used: there is no CodeArtifact here. pip's own settings decide.", "WARNING")
    say("Installing module." if module else "Installing dependencies from requirements.txt")
    status, stderr = children.run(words, code, QUIET | dict(environment))
    if status:
        name = "InstallModuleError" if module else "InstallRequirementsError"
        raise ScriptFailed(name, shell_status(status), _reason(stderr, module), words)


def leave_out(code: Path, name: str) -> None:
    """Take what is there already off requirements.txt, however its extras and versions are written."""
    file = code / REQUIREMENTS
    if not file.is_file():
        return
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    found = [line for line in lines if re.match(rf"{re.escape(name)}\s*([\[<>=!~;#@]|$)", line.strip())]
    if found:
        say(f"{', '.join(line.strip() for line in found)} is not installed: {name} is that of the caller's Python.")
        rest = "".join(line for line in lines if line not in found)
        file.write_text(rest, encoding="utf-8") if rest.strip() else file.unlink()


def _build_options(code: Path) -> list[str]:
    """A setup.py of old needs setuptools alone: when that is there, no index has to be asked for it."""
    plain = not (code / "pyproject.toml").exists()
    return ["--no-build-isolation"] if plain and util.find_spec("setuptools") else []


def _reason(stderr: str, module: bool) -> str:
    found = ABSENT.search(stderr) or MISSING_BUILD.search(stderr)
    errors = "\n".join(line for line in stderr.splitlines() if line.startswith("ERROR:"))
    if not found:
        return errors or stderr.strip().rpartition("\n")[2]
    name = found.group(1).strip()
    where = "what the module needs to be built or run" if module else REQUIREMENTS
    return (
        f"{name} of {where} is not installed here, and no package index that the job can reach has it. "
        "Either give the job an index (PIP_INDEX_URL, PIP_FIND_LINKS or HTTPS_PROXY in its Environment, without "
        f"network isolation), or install it where Sagelet is installed: pip install '{name}'"
    )
