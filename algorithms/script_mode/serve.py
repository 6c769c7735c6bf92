"""Serving in script mode: find the user's code, install what it asks for, and become the process that hosts it.

The hosting process runs in the same surroundings as a training script: an interpreter of its own, the code on its path.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from algorithms.common.contract import CLIENT, Layout
from algorithms.common.faults import UserError
from algorithms.script_mode import callers, child, entry, interpreter, log, packages, source
from algorithms.script_mode.child import Children
from algorithms.script_mode.failed import ScriptFailed
from algorithms.script_mode.train import ROOMS, need_libraries, say_versions, surroundings_of, there

PROGRAM, DIRECTORY = "SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"
INFERENCE = "inference.py"
LIBRARIES = "shared_libs"
BUILT = "A model of ModelBuilder"
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from algorithms.script_mode.host import main; sys.exit(main())"
)  # fmt: skip


@dataclass(frozen=True)
class Family:
    """How the images of one framework serve. `name` is its manifest's, `place` the module that holds this value;
    `service` is the class (`module:name`) of its toolkit's generation, `defaults` the module with the functions that
    a script may leave out; without `needs_script` the defaults alone can serve.
    """

    name: str
    place: str
    service: str
    defaults: str
    needs_script: bool = False


def run(family: Family) -> int:
    """Serve this process's model; returns only what went wrong, as an exit status."""
    log.speak_as(log.SERVING)
    children = Children()
    try:
        _become(family, Layout.from_environment(), children)
    except child.Stopped:
        return 0
    except (UserError, ScriptFailed, callers.NoCaller) as mistake:
        print(f"{CLIENT}: {mistake}", file=sys.stderr, flush=True)
        return 1


def _become(family: Family, layout: Layout, children: Children) -> NoReturn:
    say_versions(family.name)
    code = find(layout)
    program = chosen(code, family.needs_script)
    built = callers.is_built(code)
    below = callers.below(BUILT) if built and callers.in_sight() else None
    with interpreter.own(below) as python:
        surroundings = surroundings_of(python, code or layout.model, {})
        if below and code:
            packages.leave_out(code, callers.SDK)
        if code is not None:
            packages.install(children, python, code, (code / "setup.py").exists(), surroundings)
        if built:
            _need_sdk(python)
            surroundings |= _libraries(layout)
        else:
            need_libraries(family.name, python)
        if children.stopped:
            raise child.Stopped
        os.chdir(code or layout.model)
        words = [python.python, "-c", START, str(ROOMS), family.place, program]
        os.execve(words[0], words, surroundings)


def _libraries(layout: Layout) -> dict[str, str]:
    """Shared libraries are found where they are: ModelBuilder's script would copy the folder into /lib."""
    given, kept = layout.model / LIBRARIES, layout.model / f".{LIBRARIES}"
    if given.is_dir():
        given.rename(kept)
    if not kept.is_dir():
        return {}
    return {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, [str(kept), os.environ.get("LD_LIBRARY_PATH")]))}


def _need_sdk(python: interpreter.Interpreter) -> None:
    """UserError where ModelBuilder's script, which needs nothing of the image, would not find the SDK."""
    if not there(callers.NEEDED, [str(python.packages), *python.below.packages]):
        raise UserError(
            "ModelBuilder's script imports the SageMaker SDK, which is not installed where the model is served: "
            f"{callers.REMEDY} Or name sagemaker in its dependencies, when it can reach a package index."
            f"{callers.unseen()}"
        )


def find(layout: Layout) -> Path | None:
    """The folder of the user's code: what SAGEMAKER_SUBMIT_DIRECTORY names, else `code` in the model; None without."""
    submitted = os.environ.get(DIRECTORY, "").removeprefix("file://")
    if "://" in submitted:
        return source.bring(layout, submitted)
    if submitted:
        path = Path(submitted)
        place = layout.base / path.relative_to("/opt/ml") if path.is_relative_to("/opt/ml") else path
        if place.is_dir():
            return place
        if not place.exists():
            raise UserError(
                f"{DIRECTORY} is {submitted}, where there is no code. Pack the scripts into the model archive's folder "
                "code, or give the s3:// URI of a sourcedir.tar.gz."
            )
        return source.bring(layout, submitted)
    places = (layout.model / "code", layout.base / "code")
    return next((place for place in places if place.is_dir() and any(place.iterdir())), None)


def chosen(code: Path | None, needed: bool) -> str:
    """The script that holds the functions, relative to the code; empty when there is none and none is needed."""
    asked = os.environ.get(PROGRAM, "")
    name = asked or INFERENCE
    if code is not None and (asked or (code / name).is_file()):
        entry.present(code, entry.check(name))
        return name
    if asked or needed:
        raise UserError(
            f"There is no script to serve with: {PROGRAM} is {asked or 'not set'}, and the model archive holds no "
            f"folder code{'' if asked else ' with ' + INFERENCE}. Deploy with entry_point (and source_dir), or pack "
            f"the script into code/{name}."
        )
    return ""


def wanted(layout: Layout) -> bool:
    """Whether a model of an image that can serve without any script is to be served by one."""
    return bool(os.environ.get(PROGRAM)) or (layout.model / "code" / INFERENCE).is_file()
