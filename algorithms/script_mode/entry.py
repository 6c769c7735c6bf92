"""The entry point: which file of the code it is, and the command that starts it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from algorithms.common.faults import UserError

PROGRAM, MODULE, COMMAND = "program", "module", "command"
SHELL = "/bin/sh"
SAFE = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")


def check(name: object) -> str:
    """The name of the entry point when it can be one; it is put on command lines and may not lead out of the code."""
    if not name or name == "None":
        raise UserError(
            "There is no script to run: the hyperparameter sagemaker_program is not set (the SDK sets it from "
            "entry_point). Set it to a file of the source directory, such as train.py."
        )
    text = str(name)
    if not SAFE.fullmatch(text) or {".", ".."} & set(text.split("/")):
        raise UserError(
            f"The entry point {text!r} is not taken: it has to be a path inside the source directory, of letters, "
            "digits and . _ + - /, that does not begin with - or /. Rename it and set sagemaker_program to that."
        )
    return text


def kind(code: Path, name: str) -> str:
    """What the entry point is, as the toolkit decides."""
    if name.endswith(".sh"):
        return COMMAND
    if (code / "setup.py").exists():
        return MODULE
    if name.endswith(".py"):
        return PROGRAM
    return MODULE if (code / "pyproject.toml").exists() and not (code / name).is_file() else COMMAND


def present(code: Path, name: str) -> None:
    """UserError, with what there is instead, when the entry point is not in the code."""
    path = code / name
    if not path.is_file():
        found = sorted(str(file.relative_to(code)) for file in code.rglob("*") if file.is_file())
        there = ", ".join(found[:20]) + (", …" if len(found) > 20 else "") if found else "nothing"
        raise UserError(
            f"The entry point {name} is not in the code of the job; there is: {there}. Set sagemaker_program to one of "
            "these, or sagemaker_submit_directory to the archive that holds it."
        )
    if not path.resolve().is_relative_to(code.resolve()):
        raise UserError(f"The entry point {name} is a link that leads out of the source directory. Put the file there.")


def replacing(words: Sequence[str]) -> list[str]:
    """The same words, of which a shell becomes the script: signals reach it then."""
    return [*words[:2], f"exec {words[2]}"] if words[0] == SHELL else list(words)


def command(python: str, entry: tuple[str, str], arguments: Sequence[str]) -> list[str]:
    """The words that start the entry point (kind, name)."""
    what, name = entry
    if what == MODULE:
        return [python, "-m", name.removesuffix(".py").replace("/", "."), *arguments]
    if what == PROGRAM:
        return [python, name, *arguments]
    return [SHELL, "-c", " ".join([f"./{shlex.quote(name)}", *map(shlex.quote, arguments)])]
